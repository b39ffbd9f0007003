// A container's health: whether the process in it can do its work. node deploy/ready.mjs ADMIN_PORT
const response = await fetch(`http://127.0.0.1:${process.argv[2]}/readyz`).catch(() => undefined);
process.exitCode = response?.ok ? 0 : 1;
