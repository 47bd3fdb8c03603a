"""transformers' pipeline, as its documentation has it: texts in their order, padded to the longest of each batch."""

from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from exit_classifier import ExitClassifier, load_classifier
from peer import Peer, PeerSettings
from torch_settings import torch_notes, use_torch


def load_pipeline(settings: PeerSettings) -> Peer:
    use_torch(settings)
    # So that the pipeline knows it for what it is.
    AutoModelForSequenceClassification.register(ExitClassifier.config_class, ExitClassifier, exist_ok=True)
    model = load_classifier(settings.checkpoint)
    classify = pipeline(
        "text-classification",
        model=model,
        tokenizer=AutoTokenizer.from_pretrained(settings.checkpoint),
        batch_size=settings.batch_size,
        device="cpu",
    )

    def label(texts: list[str]) -> list[int]:
        answers = classify(texts, truncation=True, max_length=settings.max_length)
        return [model.config.label2id[answer["label"]] for answer in answers]

    return Peer(label, torch_notes(model))
