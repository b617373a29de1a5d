# SPDX-License-Identifier: MIT
"""printed.py ROW CODE... - ask what the code of a row of docs/clients.md makes for the capital of
France; prints the answers, one for each piece of code, as a list of JSON."""
import json
import sys

ROW, *CODE = sys.argv[1:]
QUESTION = "Name the capital of France."
MESSAGES = [{"role": "user", "content": QUESTION}]
m = "steady"


def openai(code):
    from openai import OpenAI
    answer = eval(code, {"OpenAI": OpenAI}).chat.completions.create(model=m, messages=MESSAGES)
    return answer.choices[0].message.content


def anthropic(code):
    from anthropic import Anthropic
    answer = eval(code, {"Anthropic": Anthropic}).messages.create(
        model=m, messages=MESSAGES, max_tokens=24)
    return answer.content[0].text


def pydantic_ai(code):
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.anthropic import AnthropicProvider
    from pydantic_ai.providers.openai import OpenAIProvider
    model = AnthropicModel if code.startswith("Anthropic") else OpenAIChatModel
    provider = eval(code, {"OpenAIProvider": OpenAIProvider,
                           "AnthropicProvider": AnthropicProvider})
    return Agent(model(m, provider=provider)).run_sync(QUESTION).output


def langchain(code):
    from importlib import import_module
    name = code.split("(")[0]
    package = {"ChatOpenAI": "langchain_openai", "ChatAnthropic": "langchain_anthropic",
               "ChatOllama": "langchain_ollama"}[name]
    model = eval(code, {name: getattr(import_module(package), name), "m": m})
    return model.invoke(QUESTION).text


def litellm(code):
    from litellm import completion
    answer = eval(code.replace("…", "messages=messages"),
                  {"completion": completion, "m": m, "messages": MESSAGES})
    return answer.choices[0].message.content


def ollama(code):
    import ollama as package
    return eval(code, {"ollama": package}).chat(model=m, messages=MESSAGES).message.content


def instructor(code):
    import instructor as package
    from openai import OpenAI
    from pydantic import BaseModel

    class Answer(BaseModel):
        capital: str
    client = eval(code, {"instructor": package, "OpenAI": OpenAI})
    question = [{"role": "user", "content": QUESTION + " Answer in JSON."}]
    return client.chat.completions.create(response_model=Answer, model=m, messages=question,
                                          max_tokens=96).capital


def llama_index(code):
    from importlib import import_module
    from llama_index.core.llms import ChatMessage
    name = code.split("(")[0]
    package = {"OpenAILike": "openai_like", "LMStudio": "lmstudio", "Ollama": "ollama"}[name]
    cls = getattr(import_module("llama_index.llms." + package), name)
    message = ChatMessage(role="user", content=QUESTION)
    return eval(code, {name: cls, "m": m}).chat([message]).message.content


ASKING = {"openai": openai, "anthropic": anthropic, "pydantic-ai": pydantic_ai,
          "langchain": langchain, "litellm": litellm, "ollama": ollama,
          "instructor": instructor, "llama-index": llama_index}
ask = next(ask for name, ask in ASKING.items() if ROW.startswith("`" + name))
print(json.dumps([ask(code) for code in CODE]))
