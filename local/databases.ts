import { type LocalConfig, SERVICES, type Service } from "./config.ts";

export type ServiceDatabase = {
  service: Service;
  /** What the service connects to, as its own role. */
  url: string;
  /** Who migrates it; undefined where only `<SERVICE>_DATABASE_URL` is known, and it is somebody else's task. */
  ownerUrl: string | undefined;
};

/**
 * Where each service finds its schema: what `<SERVICE>_DATABASE_URL` says, or the owner's database as the role
 * `boxoffice_<service>` with the remembered password.
 *
 * @param embeddedOwnerUrl the owner of the PostgreSQL that we run, where we run one
 */
export function serviceDatabases(
  config: Pick<LocalConfig, "databaseUrl" | "serviceDatabaseUrls">,
  embeddedOwnerUrl: string | undefined,
  rolePasswords: Partial<Record<Service, string>>,
): ServiceDatabase[] {
  return SERVICES.map((service) => {
    const given = config.serviceDatabaseUrls[service];
    if (given !== undefined) return { service, url: given, ownerUrl: config.databaseUrl };
    const ownerUrl = config.databaseUrl ?? embeddedOwnerUrl;
    if (ownerUrl === undefined) throw new Error(`there is no database for ${service}`);
    const url = new URL(ownerUrl);
    url.username = `boxoffice_${service}`;
    const password = rolePasswords[service];
    if (password === undefined) throw new Error(`nobody knows the password of ${service}`);
    url.password = password;
    return { service, url: url.href, ownerUrl };
  });
}

/** Whether somebody else's PostgreSQL serves all there is to serve, so that none needs to be embedded. */
export function needsNoEmbeddedPostgres(config: LocalConfig): boolean {
  return config.databaseUrl !== undefined || SERVICES.every((service) => config.serviceDatabaseUrls[service]);
}
