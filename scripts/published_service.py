"""What the API's speed is held against: the published service's way, and an endpoint that only reads.

`/predict` does as the published service (abdurafay19/Digit-Classifier): it opens the upload, scales it to
28×28, and asks PyTorch on the server's one event loop. `/read` does nothing but read the upload. Started by
`scripts.bench_api`, alone in its process.
"""

import io
from typing import Any

import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from torchvision import transforms

from core.checkpoint import load_model
from core.paths import checkpoint_folder

app = FastAPI()
model, card = load_model(checkpoint_folder("cnn"))
transform = transforms.Compose(
    [
        transforms.Resize((28, 28)),
        transforms.ToTensor(),
        transforms.Normalize((card.normalisation["mean"],), (card.normalisation["std"],)),
    ]
)
UPLOAD = File(...)


@app.post("/predict")
async def predict(file: UploadFile = UPLOAD) -> dict[str, Any]:
    """The digit and how sure."""
    image = Image.open(io.BytesIO(await file.read())).convert("L")
    with torch.no_grad():
        probabilities = torch.softmax(model(transform(image).unsqueeze(0)), dim=1)
    confidence, digit = probabilities.max(dim=1)
    return {"prediction": digit.item(), "confidence": round(confidence.item(), 4)}


@app.post("/read")
async def read(file: UploadFile = UPLOAD) -> dict[str, int]:
    """The upload's size."""
    return {"size": len(await file.read())}
