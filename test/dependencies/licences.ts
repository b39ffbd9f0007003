import { foreignPackages, nameOf, type Packages } from "./packages.ts";

/** docs/licences.md: every package that is part of what is run, with its licence. */
export function licencesPage(packages: Packages): string {
  const rows = foreignPackages(packages)
    .filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)
    .map(([place, { version, license }]) => ({ name: nameOf(place), version, license: license ?? "" }));
  const unique = [...new Map(rows.map((row) => [`${row.name} ${row.version}`, row])).values()];
  const sorted = unique.sort((one, other) =>
    `${one.name} ${one.version}` < `${other.name} ${other.version}` ? -1 : 1,
  );
  const counts = [...Map.groupBy(sorted, ({ license }) => license)]
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([license, of]) => `- ${of.length} under ${license}`);
  return `# Licences of what Boxoffice runs with

Boxoffice itself is under the Apache License 2.0. These ${sorted.length} packages of others are installed with it where it runs, the
binaries of each platform included. Tools that only build and test it are not among them.

${counts.join("\n")}

\`npm run licences\` writes this page from package-lock.json; \`npm run check\` fails where it is not current, and where
a package is under a licence that test/dependencies/rules.ts does not name.

| package | version | licence |
| --- | --- | --- |
${sorted.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`).join("\n")}
`;
}
