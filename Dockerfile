# The page, on a CPU: docker build -t synth-explorer . && docker run -p 7860:7860 -v synth:/data synth-explorer
# Any command: docker run -v "$PWD:/work" -w /work synth-explorer morph Cello Flute -o between.wav
FROM python:3.11-slim

WORKDIR /source
COPY . .
RUN export PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt && \
    pip install --no-cache-dir . && cd / && rm -rf /source

RUN useradd --create-home --uid 1000 explorer && mkdir /data && chown explorer /data
USER explorer
WORKDIR /home/explorer
ENV SYNTH_EXPLORER_DATA=/data SYNTH_EXPLORER_CACHE=/home/explorer/.cache/synth_explorer
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=8)"]
ENTRYPOINT ["synth-explorer"]
CMD ["page", "--host", "0.0.0.0", "--port", "7860"]
