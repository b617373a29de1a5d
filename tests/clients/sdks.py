# SPDX-License-Identifier: MIT
"""sdks.py URL CLIENT - one client of Python's index asks a question and lets a model call a tool.

Prints {"answer": the trained model's, "report": the last text of the task, "asked": [city, ...]} as
JSON. A client is a function that returns two more: ask() and act(weather), each giving a text; act
is None if the client knows no tools. instructor makes a value of the call and reports nothing.
"""
import json
import sys

URL, NAME = sys.argv[1:]
QUESTION = "Name the capital of France."
TASK = "How is the weather in Paris?"
TOKENS = 24
USER = [{"role": "user", "content": QUESTION}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "Tells the weather.", "parameters": SCHEMA}


def chat_loop(create, weather):
    """The loop that people write around chat completions; create(messages, tools)."""
    tools = [{"type": "function", "function": FUNCTION}]
    messages = [{"role": "user", "content": TASK}]
    while True:
        message = create(messages, tools)
        if not message.tool_calls:
            return message.content
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            result = weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def openai_chat():
    from openai import OpenAI
    completions = OpenAI(base_url=URL + "/v1", api_key="none").chat.completions

    def ask():
        parts = completions.create(model="smol", messages=USER, max_tokens=TOKENS, temperature=0,
                                   stream=True)
        return "".join(p.choices[0].delta.content or "" for p in parts)

    def act(weather):
        return chat_loop(lambda messages, tools: completions.create(
            model="caller", messages=messages, tools=tools).choices[0].message, weather)
    return ask, act


def openai_responses():
    from openai import OpenAI
    responses = OpenAI(base_url=URL + "/v1", api_key="none").responses

    def ask():
        with responses.stream(model="smol", input=QUESTION, max_output_tokens=TOKENS,
                              temperature=0) as stream:
            return stream.get_final_response().output_text

    def act(weather):
        tools = [{"type": "function", "strict": False, **FUNCTION}]
        first = responses.create(model="caller", input=TASK, tools=tools)
        results = [{"type": "function_call_output", "call_id": item.call_id,
                    "output": weather(**json.loads(item.arguments))}
                   for item in first.output if item.type == "function_call"]
        return responses.create(model="caller", input=results, tools=tools,
                                previous_response_id=first.id).output_text
    return ask, act


def anthropic_messages():
    from anthropic import Anthropic, beta_tool
    client = Anthropic(base_url=URL, api_key="none")

    def ask():
        with client.messages.stream(model="smol", messages=USER, max_tokens=TOKENS,
                                    extra_body={"temperature": 0}) as stream:
            return stream.get_final_text()

    def act(weather):
        tool = beta_tool(weather, name="get_weather", description="Tells.", input_schema=SCHEMA)
        runner = client.beta.messages.tool_runner(
            model="caller", max_tokens=200, messages=[{"role": "user", "content": TASK}],
            tools=[tool])
        return runner.until_done().content[0].text
    return ask, act


def lmstudio_sdk():
    import lmstudio
    client = lmstudio.Client(URL.removeprefix("http://"))

    def ask():
        config = {"maxTokens": TOKENS, "temperature": 0}
        return client.llm.model("smol").respond(QUESTION, config=config).content

    def act(weather):
        said = []

        def get_weather(city: str) -> str:
            """Tells the weather."""
            return weather(city)
        client.llm.model("caller").act(TASK, [get_weather], on_message=said.append)
        return said[-1].content[0].text
    return ask, act


def pydantic_ai(make_model):
    from pydantic_ai import Agent

    def ask():
        settings = {"max_tokens": TOKENS, "temperature": 0}
        return Agent(make_model("smol"), model_settings=settings).run_sync(QUESTION).output

    def act(weather):
        agent = Agent(make_model("caller"))

        @agent.tool_plain
        def get_weather(city: str) -> str:
            """Tells the weather."""
            return weather(city)
        return agent.run_sync(TASK).output
    return ask, act


def pydantic_ai_openai():
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider
    provider = OpenAIProvider(base_url=URL + "/v1", api_key="none")
    return pydantic_ai(lambda name: OpenAIChatModel(name, provider=provider))


def pydantic_ai_anthropic():
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider
    provider = AnthropicProvider(base_url=URL, api_key="none")
    return pydantic_ai(lambda name: AnthropicModel(name, provider=provider))


def langchain(make_model):
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    def ask():
        return "".join(chunk.text for chunk in make_model("smol").stream(QUESTION))

    def act(weather):
        @tool
        def get_weather(city: str) -> str:
            """Tells the weather."""
            return weather(city)
        agent = create_agent(make_model("caller"), tools=[get_weather])
        return agent.invoke({"messages": [("user", TASK)]})["messages"][-1].text
    return ask, act


def langchain_openai():
    from langchain_openai import ChatOpenAI
    return langchain(lambda name: ChatOpenAI(model=name, base_url=URL + "/v1", api_key="none",
                                             temperature=0, max_tokens=TOKENS * 4))


def langchain_anthropic():
    from langchain_anthropic import ChatAnthropic
    return langchain(lambda name: ChatAnthropic(model=name, base_url=URL, api_key="none",
                                                temperature=0, max_tokens=TOKENS * 4))


def litellm(prefix):
    from litellm import completion

    def create(model, **more):
        return completion(model=prefix + model, api_base=URL + "/v1", api_key="none",
                          **more).choices[0].message

    def ask():
        return create("smol", messages=USER, max_tokens=TOKENS, temperature=0).content

    def act(weather):
        return chat_loop(lambda messages, tools: create("caller", messages=messages, tools=tools),
                         weather)
    return ask, act


def llama_index(make_model):
    import asyncio
    from llama_index.core.agent.workflow import FunctionAgent
    from llama_index.core.llms import ChatMessage

    def ask():
        message = ChatMessage(role="user", content=QUESTION)
        return "".join(part.delta or "" for part in make_model("smol").stream_chat([message]))

    def act(weather):
        def get_weather(city: str) -> str:
            """Tells the weather."""
            return weather(city)

        async def run():
            return str(await FunctionAgent(tools=[get_weather], llm=make_model("caller")).run(TASK))
        return asyncio.run(run())
    return ask, act


def llama_index_openai_like():
    from llama_index.llms.openai_like import OpenAILike
    return llama_index(lambda name: OpenAILike(
        model=name, api_base=URL + "/v1", api_key="none", is_chat_model=True,
        is_function_calling_model=True, temperature=0, max_tokens=TOKENS * 4))


def llama_index_lmstudio():
    from llama_index.llms.lmstudio import LMStudio
    # It drops the temperature.
    ask, _ = llama_index(lambda _: LMStudio(model_name="steady", base_url=URL + "/v1"))
    return ask, None


def instructor_openai():
    import instructor
    from openai import OpenAI
    from pydantic import BaseModel
    Mode = instructor.Mode

    class Answer(BaseModel):
        capital: str

    class get_weather(BaseModel):
        """Tells the weather."""
        city: str

    def create(mode, **request):
        client = instructor.from_openai(OpenAI(base_url=URL + "/v1", api_key="none"), mode=mode)
        return client.chat.completions.create(max_retries=1, **request)

    def ask():
        # A model as small as this one is lost if nobody tells it why it has to begin with a brace.
        question = [{"role": "user", "content": QUESTION + " Answer in JSON."}]
        return create(Mode.JSON_SCHEMA, response_model=Answer, model="smol", messages=question,
                      max_tokens=TOKENS * 4, temperature=0).capital

    def act(weather):
        call = create(Mode.TOOLS, response_model=get_weather, model="caller",
                      messages=[{"role": "user", "content": TASK}])
        weather(call.city)
    return ask, act


CLIENTS = {
    "openai, chat completions": openai_chat,
    "openai, responses": openai_responses,
    "anthropic": anthropic_messages,
    "lmstudio": lmstudio_sdk,
    "pydantic-ai, OpenAI": pydantic_ai_openai,
    "pydantic-ai, Anthropic": pydantic_ai_anthropic,
    "langchain-openai": langchain_openai,
    "langchain-anthropic": langchain_anthropic,
    "litellm, openai": lambda: litellm("openai/"),
    "litellm, lm_studio": lambda: litellm("lm_studio/"),
    "instructor": instructor_openai,
    "llama-index-llms-openai-like": llama_index_openai_like,
    "llama-index-llms-lmstudio": llama_index_lmstudio,
}


def main():
    asked = []

    def weather(city: str) -> str:
        asked.append(city)
        return "Sunny."
    ask, act = CLIENTS[NAME]()
    print(json.dumps({"answer": ask(), "report": act and act(weather), "asked": asked}))


main()
