// The Responses API with the official client.
package main

import (
	"encoding/json"
	"errors"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

func responsesOf() error {
	model, said := expected.Models["chat"], ""
	var whole responses.Response
	events := client.Responses.NewStreaming(late, responses.ResponseNewParams{
		Model: model,
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(saying(expected.Said))},
	})
	for events.Next() {
		switch event := events.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			said += event.Delta
		case responses.ResponseCompletedEvent:
			whole = event.Response
		}
	}
	last, cities, err := askOverKeptTurns(model)
	if err := errors.Join(events.Err(), err); err != nil {
		return err
	}
	kept, err := client.Responses.Get(late, last.ID, responses.ResponseGetParams{})
	if err != nil {
		return err
	}
	found := append(cities, said, whole.OutputText(), last.OutputText(), kept.OutputText())
	text := expected.Said
	if err := same("texts", found, []string{"Paris", "Rome", text, text, text, text}); err != nil {
		return err
	}
	if err := client.Responses.Delete(late, last.ID); err != nil {
		return err
	}
	_, gone := client.Responses.Get(late, last.ID, responses.ResponseGetParams{})
	return failing(404, "", gone)
}

// Each call has only what is new, and the id of the response before it.
func askOverKeptTurns(model string) (*responses.Response, []string, error) {
	schema := schemaOf(map[string]any{"city": map[string]any{"type": "string"}})
	body := responses.ResponseNewParams{
		Model: model,
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(askingForWeather(""))},
		Tools: []responses.ToolUnionParam{responses.ToolParamOfFunction("get_weather", schema, false)},
	}
	cities := []string{}
	for {
		last, err := client.Responses.New(late, body)
		if err != nil {
			return nil, nil, err
		}
		outputs := responses.ResponseInputParam{}
		for _, item := range last.Output {
			call, isCall := item.AsAny().(responses.ResponseFunctionToolCall)
			if !isCall {
				continue
			}
			var args struct{ City string }
			if err := json.Unmarshal([]byte(call.Arguments), &args); err != nil {
				return nil, nil, err
			}
			cities = append(cities, args.City)
			output := responses.ResponseInputItemParamOfFunctionCallOutput("24 degrees")
			output.OfFunctionCallOutput.CallID = openai.String(call.CallID)
			outputs = append(outputs, output)
		}
		if len(outputs) == 0 {
			return last, cities, nil
		}
		body.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: outputs}
		body.PreviousResponseID = openai.String(last.ID)
	}
}
