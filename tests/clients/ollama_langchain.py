# SPDX-License-Identifier: MIT
"""langchain-ollama against the server argv[1]: prints a JSON object of what each check saw."""
import asyncio
import json
import sys

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_ollama import ChatOllama, OllamaEmbeddings, OllamaLLM

url = sys.argv[1]
seen = {}


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"Sunny in {city}."


def chat(model, **more):
    return ChatOllama(model=model, base_url=url, **more)


def check_chat():
    speaker = chat("m", validate_model_on_init=True, temperature=0, num_ctx=2048, seed=1)
    answer = speaker.invoke([SystemMessage("Be brief."), HumanMessage("Hello?")])
    seen["chat"] = answer.content
    seen["usage"] = answer.usage_metadata
    seen["reason"] = answer.response_metadata["done_reason"]
    pieces = [piece.content for piece in speaker.stream("Hello?")]
    seen["pieces"] = len(pieces)
    seen["streamed"] = "".join(pieces)
    seen["later"] = asyncio.run(speaker.ainvoke("Hello?")).content
    seen["batch"] = [one.content for one in speaker.batch(["Hello?", "And?"])]
    seen["cut"] = chat("m", num_predict=3).invoke("Hello?").response_metadata["done_reason"]
    seen["stop"] = chat("m", stop=["five"]).invoke("Hello?").content


def check_tools():
    caller = chat("tools").bind_tools([get_weather])
    call = caller.invoke("How is the weather in Paris?")
    seen["calls"] = [[one["name"], one["args"]] for one in call.tool_calls]
    result = get_weather.invoke(call.tool_calls[0])
    assert isinstance(result, ToolMessage)
    history = [HumanMessage("How is the weather in Paris?"), call, result]
    seen["after"] = len(caller.invoke(history).tool_calls)
    whole = None
    for piece in caller.stream("How is the weather in Paris?"):
        whole = piece if whole is None else whole + piece
    seen["streamed_calls"] = [[one["name"], one["args"]] for one in whole.tool_calls]


def check_thinking():
    thought = chat("thinker", reasoning=True).invoke("What is two and two?")
    seen["thinking"] = thought.additional_kwargs["reasoning_content"]
    seen["thought"] = thought.content
    silent = chat("thinker", reasoning=False).invoke("What is two and two?")
    seen["silent"] = "reasoning_content" in silent.additional_kwargs


def check_formats():
    schema = {"title": "Number", "type": "object", "properties": {"n": {"enum": [1, 2]}},
              "required": ["n"], "additionalProperties": False}
    number = chat("random", num_predict=200).with_structured_output(schema, method="json_schema")
    seen["number"] = number.invoke("One or two?")
    probable = chat("m", logprobs=True, top_logprobs=2, num_predict=3).invoke("Hello?")
    seen["logprobs"] = [len(one["top_logprobs"])
                        for one in probable.response_metadata["logprobs"]]


def check_others():
    seen["llm"] = OllamaLLM(model="m", base_url=url).invoke("Hello?")
    seen["llm_streamed"] = "".join(OllamaLLM(model="m", base_url=url).stream("Hello?"))
    vectors = OllamaEmbeddings(model="vectors", base_url=url)
    seen["vectors"] = [len(one) for one in vectors.embed_documents(["One.", "Two."])]
    seen["query"] = len(vectors.embed_query("One."))
    try:
        chat("nobody").invoke("Hello?")
    except Exception as error:  # langchain passes on Ollama's own
        seen["error"] = [getattr(error, "status_code", 0), str(error)]
    chat("m", keep_alive="7m").invoke("Hello?")


for check in (check_chat, check_tools, check_thinking, check_formats, check_others):
    check()
print(json.dumps(seen))
