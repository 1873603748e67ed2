# After Scripts/deb: docker build -t cleannet . && docker run --rm -v "$PWD:/data" cleannet run photos/
FROM debian:bookworm-slim
COPY .build/dist/cleannet_*_amd64.deb /tmp/
RUN apt-get update \
 && apt-get install -y --no-install-recommends /tmp/cleannet_*_amd64.deb ca-certificates libcurl4 libsvm3 \
 && rm -rf /tmp/cleannet_*.deb /var/lib/apt/lists/*
WORKDIR /data
ENTRYPOINT ["cleannet"]
