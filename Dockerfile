# syntax=docker/dockerfile:1
# docs/deployment.md says how to build and run it.

ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS packages
# The pip index of PyTorch's builds without CUDA makes the small image for processors alone; left empty, torch comes
# with CUDA and uses a GPU where the container is given one.
ARG TORCH_INDEX=""
WORKDIR /app
COPY requirements.txt requirements-auth.txt ./
RUN python -m venv --without-pip /opt/venv \
 && if [ -n "$TORCH_INDEX" ]; then \
      grep -E '^torch(vision)?==' requirements.txt > torch.txt; \
      pip --python /opt/venv install --no-cache-dir --index-url "$TORCH_INDEX" -r torch.txt; \
    fi \
 && pip --python /opt/venv install --no-cache-dir -r requirements.txt -r requirements-auth.txt
COPY . .
RUN pip --python /opt/venv install --no-cache-dir --no-deps -e .

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="Digitscope" \
      org.opencontainers.image.description="What a handwritten-digit classifier sees, where it fails, and when not to believe it" \
      org.opencontainers.image.licenses="MIT"
# 1000 is who Hugging Face Spaces runs as, too.
RUN useradd --uid 1000 --create-home --shell /usr/sbin/nologin digitscope \
 && install -d -o digitscope -g digitscope /data
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    DIGITSCOPE_DATA=/data \
    DIGITSCOPE_RUNS=/data/runs \
    STREAMLIT_SERVER_HEADLESS=true \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501
USER 1000
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['STREAMLIT_SERVER_PORT'] + '/healthz', timeout=4)"]
CMD ["streamlit", "run", "dashboard/server.py"]
