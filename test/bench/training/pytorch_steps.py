"""Some steps of one stage, by PyTorch: `work.json batches.json`; prints a StageOutcome.

The encoder is transformers' BertModel, exits are DESIGN's formulas, AdamW is torch's own. Batches are padded to their longest
row, with a mask, as a user of transformers trains.
"""

import json
import sys
import time

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

WARM_UP, DECAY, CLIP = 0.1, 0.01, 1.0


class Exit(nn.Module):
    def __init__(self, hidden, size, heads, classes):
        super().__init__()
        self.heads = heads
        self.narrow = nn.Linear(hidden, size)
        for name in ["query", "key", "value", "output", "hidden"]:
            setattr(self, name, nn.Linear(size, size))
        self.logits = nn.Linear(size, classes)

    def forward(self, states, mask):
        z = torch.tanh(self.narrow(states))
        rows, tokens, size = z.shape
        split = lambda x: x.view(rows, -1, self.heads, size // self.heads).transpose(1, 2)
        # The query of the first token is all that an exit needs.
        attended = F.scaled_dot_product_attention(
            split(self.query(z[:, :1])), split(self.key(z)), split(self.value(z)), attn_mask=mask[:, None, None, :]
        )
        first = self.output(attended.transpose(1, 2).reshape(rows, size))
        return self.logits(torch.tanh(self.hidden(first)))


def load(checkpoint):
    config = json.load(open(f"{checkpoint}/config.json"))
    options = {name: value for name, value in config.items() if name != "sluice"}
    options |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    bert = BertModel(BertConfig(**options), add_pooling_layer=False)
    tensors = load_file(f"{checkpoint}/model.safetensors")
    own = {name.removeprefix("bert."): value for name, value in tensors.items() if name.startswith("bert.")}
    missing = bert.load_state_dict(own, strict=False).missing_keys
    assert not missing, missing
    exits = nn.ModuleDict()
    for each in config["sluice"]["exits"]:
        made = Exit(config["hidden_size"], each["size"], each["heads"], len(config["sluice"]["labels"]))
        prefix = f"exits.{each['layer']}."
        made.load_state_dict({n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)})
        exits[str(each["layer"])] = made
    return bert, exits


def padded(batch):
    longest = max(map(len, batch["ids"]))
    ids = torch.zeros(len(batch["ids"]), longest, dtype=torch.long)
    mask = torch.zeros(len(batch["ids"]), longest, dtype=torch.bool)
    for row, own in enumerate(batch["ids"]):
        ids[row, : len(own)] = torch.tensor(own)
        mask[row, : len(own)] = True
    return ids, mask, torch.tensor(batch["golds"])


def main():
    work = json.load(open(sys.argv[1]))
    torch.set_num_threads(work["threads"])
    bert, exits = load(work["checkpoint"])
    last = max(exits, key=int)
    if work["stage"] == 0:
        trained = [*bert.named_parameters(), *exits[last].named_parameters()]
    else:
        bert.requires_grad_(False)
        trained = [(n, p) for layer, each in exits.items() if layer != last for n, p in each.named_parameters()]
    decays = lambda name: name.endswith("weight") and "LayerNorm" not in name
    groups = [
        {"params": [p for n, p in trained if decays(n)], "weight_decay": DECAY},
        {"params": [p for n, p in trained if not decays(n)], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=work["rate"], fused=True)
    seconds, losses = [], []
    steps, rising = work["stepsOfEpoch"], WARM_UP * work["stepsOfEpoch"]
    for step, batch in enumerate(json.load(open(sys.argv[2]))):
        begun = time.perf_counter()
        ids, mask, golds = padded(batch)
        optimiser.zero_grad()
        if work["stage"] == 0:
            states = bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            loss = F.cross_entropy(exits[last](states, mask), golds)
        else:
            with torch.no_grad():
                states = bert(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True).hidden_states
                teacher = F.log_softmax(exits[last](states[int(last)], mask), -1)
            loss = sum(
                F.kl_div(F.log_softmax(each(states[int(layer)], mask), -1), teacher, reduction="batchmean", log_target=True)
                for layer, each in exits.items()
                if layer != last
            )
        loss.backward()
        nn.utils.clip_grad_norm_([p for _, p in trained], CLIP)
        rate = work["rate"] * (step / rising if step < rising else max(0, steps - step) / (steps - rising))
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - begun)
    names = f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, {bert.config._attn_implementation} attention"
    print(json.dumps({"seconds": seconds, "losses": losses, "statesSeconds": 0, "computesWith": names}))


main()
