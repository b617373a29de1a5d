# SPDX-License-Identifier: MIT
"""llama-index-llms-ollama against the server argv[1]: prints a JSON object of what it saw."""
import asyncio
import json
import sys

from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.ollama import Ollama
from pydantic import BaseModel

url = sys.argv[1]
seen = {}


class Number(BaseModel):
    """One of two."""

    n: bool


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"Sunny in {city}."


def llm(model, **more):
    return Ollama(model=model, base_url=url, request_timeout=120, **more)


def check_text():
    speaker = llm("m", context_window=2048)
    seen["complete"] = speaker.complete("Hello?").text
    seen["completed"] = "".join(part.delta for part in speaker.stream_complete("Hello?"))
    seen["later"] = asyncio.run(speaker.acomplete("Hello?")).text


def check_chat():
    messages = [ChatMessage(role="system", content="Be brief."),
                ChatMessage(role="user", content="Hello?")]
    answer = llm("m").chat(messages)
    seen["chat"] = answer.message.content
    seen["usage"] = answer.raw["usage"]
    seen["chatted"] = "".join(part.delta or "" for part in llm("m").stream_chat(messages))
    seen["window"] = llm("m").metadata.context_window
    seen["thinking"] = [getattr(block, "content", "") for block in
                        llm("thinker", thinking=True).chat(messages).message.blocks]


def check_tools():
    caller = llm("tools", is_function_calling_model=True)
    tool = FunctionTool.from_defaults(get_weather)
    answer = caller.chat_with_tools([tool], user_msg="How is the weather in Paris?")
    calls = caller.get_tool_calls_from_response(answer)
    seen["calls"] = [[call.tool_name, call.tool_kwargs] for call in calls]


def check_formats():
    chooser = llm("random", is_function_calling_model=False)
    chosen = chooser.structured_predict(Number, PromptTemplate("One or two?"))
    seen["number"] = type(chosen.n).__name__
    loose = llm("random", json_mode=True, additional_kwargs={"num_predict": 40})
    seen["json"] = loose.complete("Anything?").text[:1]


def check_others():
    try:
        llm("nobody", context_window=2048).complete("Hello?")
    except Exception as error:  # llama-index passes on Ollama's own
        seen["error"] = [getattr(error, "status_code", 0), str(error)]
    llm("m", keep_alive="7m").complete("Hello?")


for check in (check_text, check_chat, check_tools, check_formats, check_others):
    check()
print(json.dumps(seen))
