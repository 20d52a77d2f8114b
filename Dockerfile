# Three images: `docker build --target gateway .`, the same with `function-runner`, and with `cos`
# This file uses no feature of BuildKit, so the legacy builder can build it too.

# The workspace without its code: empty libraries, and programs with an empty main.
FROM rust:1.95-bookworm AS manifests
WORKDIR /src
COPY . .
RUN find . -type f ! -name Cargo.toml ! -path ./Cargo.lock ! -path './.cargo/*' \
        ! -name build.rs ! -name lib.rs ! -name main.rs -delete \
    && find . -name lib.rs -exec truncate --size 0 {} + \
    && find . -name main.rs | while read main; do echo 'fn main() {}' >"$main"; done

# The dependencies change seldom, so they are built in a layer of their own.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY --from=manifests /src .
RUN cargo build --release --locked --bins --package gateway --package function-runner --package cos
COPY . .
# `--version` shows it. The context has no repository that could say it.
ARG LONGHOLD_COMMIT=
# Cargo compares the times of files, and the empty files above are newer than the code: so the code is
# touched. The target folder is removed in the same layer, so that it takes no space in the image.
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --bins --package gateway --package function-runner --package cos \
    && install -D --target-directory /out target/release/gateway target/release/function-runner target/release/cos \
    && rm -rf target

FROM debian:bookworm-slim AS base
# Certificates for functions with https URLs, and for a roster in a bucket.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# The journal, and the roster of functions.toml, are in folders of the working directory.
WORKDIR /var/lib/longhold
# /run/longhold is for a volume with the tokens that the containers share. A new volume has the owner of the folder.
RUN mkdir /run/longhold && chown 10001:10001 . /run/longhold
USER 10001:10001

FROM base AS gateway
COPY --from=build /out/gateway /usr/local/bin/
COPY gateway.toml /etc/longhold/
COPY web /etc/longhold/web
ENV LONGHOLD_GATEWAY__LISTEN__PUBLIC=0.0.0.0:9000 \
    LONGHOLD_GATEWAY__LISTEN__INTERNAL=0.0.0.0:9001 \
    LONGHOLD_GATEWAY__ACCESS__OPERATOR_FILE=access/operator.token
EXPOSE 9000 9001
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s \
    CMD ["gateway", "--config", "/etc/longhold/gateway.toml", "check"]
ENTRYPOINT ["gateway", "--config", "/etc/longhold/gateway.toml"]

FROM base AS function-runner
COPY --from=build /out/function-runner /usr/local/bin/
COPY functions.toml /etc/longhold/
# The token has a folder of its own, so that functions can be kept out of the folder where no mount can be made.
ENV LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL=0.0.0.0:9002 \
    LONGHOLD_FUNCTION_RUNNER__ACCESS__OPERATOR_FILE=access/operator.token
EXPOSE 9002
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s \
    CMD ["function-runner", "--config", "/etc/longhold/functions.toml", "check"]
ENTRYPOINT ["function-runner", "--config", "/etc/longhold/functions.toml"]

FROM base AS cos
COPY --from=build /out/cos /usr/local/bin/
COPY cos/cos.toml /etc/longhold/
ENV LONGHOLD_COS__LISTEN__INTERNAL=0.0.0.0:9003
EXPOSE 9003
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s \
    CMD ["cos", "--config", "/etc/longhold/cos.toml", "check"]
ENTRYPOINT ["cos", "--config", "/etc/longhold/cos.toml"]

# The function-runner with Python and the chat in Python, for docker-compose.python.yml.
FROM function-runner AS function-runner-python
USER 0:0
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
COPY examples/python-chat/functions.toml /etc/longhold/
COPY examples/python-chat/chat /etc/longhold/chat
# The roster of the chat, in the volume. Functions that have no use for it never see it.
ENV LONGHOLD_FUNCTION_RUNNER__VARIABLES__ROSTER=/var/lib/longhold/data/roster
