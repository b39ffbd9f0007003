# The five processes and the migrations, in one image: docker-compose.yml says which of them a container runs.
# Node runs the TypeScript as it is, and finds the workspaces by the links in node_modules.

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY proto/package.json proto/
COPY packages/op/package.json packages/op/
COPY packages/platform/package.json packages/platform/
COPY services/catalog/package.json services/catalog/
COPY services/payment/package.json services/payment/
COPY services/reservation/package.json services/reservation/
COPY services/stats/package.json services/stats/
COPY gateway/package.json gateway/
COPY local/package.json local/
COPY web/package.json web/
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM dependencies AS pages
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY proto proto
COPY packages packages
COPY web web
RUN npx vite build web

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
# Small pieces of memory are joined when they are freed. Else those of all headers are joined together at the end of a major
# collection, which takes as long again (docs/adr/0011).
ENV GLIBC_TUNABLES=glibc.malloc.mxfast=0
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY proto proto
COPY packages packages
COPY services services
COPY gateway gateway
COPY local local
COPY web/package.json web/
COPY --from=pages /app/web/dist web/dist
COPY deploy/ready.mjs deploy/
USER node
CMD ["node", "gateway/main.ts"]
