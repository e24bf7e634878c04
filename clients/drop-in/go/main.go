// The official client for Go. It reads its base URL and its key from the environment itself.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

var client = openai.NewClient()

var late, _ = context.WithTimeout(context.Background(), 2*time.Minute)

func asking(model, prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
	}
}

func shownOf(reply *openai.ChatCompletion) (Shown, error) {
	if len(reply.Choices) == 0 {
		return Shown{}, errors.New("no choices")
	}
	choice, usage := reply.Choices[0], reply.Usage
	return Shown{
		Text:      choice.Message.Content,
		Finish:    choice.FinishReason,
		Usage:     []int64{usage.PromptTokens, usage.CompletionTokens},
		Reasoning: usage.CompletionTokensDetails.ReasoningTokens,
	}, nil
}

func askWith(model, prompt string, options ...option.RequestOption) (Shown, error) {
	reply, err := client.Chat.Completions.New(late, asking(model, prompt), options...)
	if err != nil {
		return Shown{}, err
	}
	return shownOf(reply)
}

func ask(prompt string) (Shown, error) {
	return askWith(expected.Models["chat"], prompt)
}

func streamed(body openai.ChatCompletionNewParams) (*openai.ChatCompletion, error) {
	body.StreamOptions.IncludeUsage = openai.Bool(true)
	events := client.Chat.Completions.NewStreaming(late, body)
	whole := openai.ChatCompletionAccumulator{}
	for events.Next() {
		if !whole.AddChunk(events.Current()) {
			return nil, errors.New("a chunk does not fit")
		}
	}
	return &whole.ChatCompletion, events.Err()
}

func stream(prompt string) (Shown, error) {
	whole, err := streamed(asking(expected.Models["chat"], prompt))
	if err != nil {
		return Shown{}, err
	}
	return shownOf(whole)
}

func text() error {
	shown, err := ask(saying(expected.Said))
	return errors.Join(err, same("answer", shown, Shown{expected.Said, "stop", []int64{12, 5}, 0}))
}

func streaming() error {
	shown, err := stream(saying(expected.Said))
	return errors.Join(err, same("answer", shown, Shown{expected.Said, "stop", []int64{12, 5}, 0}))
}

func schemaOf(properties map[string]any) map[string]any {
	return map[string]any{"type": "object", "properties": properties}
}

func objects() error {
	weather := map[string]any{"city": "Paris", "degrees": 24}
	written, _ := json.Marshal(weather)
	body := asking(expected.Models["chat"], saying(string(written)))
	schema := schemaOf(map[string]any{"city": map[string]any{"type": "string"}})
	body.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "weather", Schema: schema},
	}
	reply, err := client.Chat.Completions.New(late, body)
	if err != nil {
		return err
	}
	var found map[string]any
	err = json.Unmarshal([]byte(reply.Choices[0].Message.Content), &found)
	return errors.Join(err, same("object", found, weather))
}

func tools() error {
	for _, more := range []string{"", "&no_ids"} {
		body := asking(expected.Models["chat"], askingForWeather(more))
		schema := schemaOf(map[string]any{"city": map[string]any{"type": "string"}})
		body.Tools = []openai.ChatCompletionToolUnionParam{
			openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
				Name: "get_weather", Parameters: schema,
			}),
		}
		cities, said := []string{}, ""
		for range 3 {
			whole, err := streamed(body)
			if err != nil {
				return err
			}
			message := whole.Choices[0].Message
			said = message.Content
			if len(message.ToolCalls) == 0 {
				break
			}
			body.Messages = append(body.Messages, message.ToParam())
			for _, call := range message.ToolCalls {
				var args struct{ City string }
				if err := json.Unmarshal([]byte(call.Function.Arguments), &args); err != nil {
					return err
				}
				cities = append(cities, args.City)
				body.Messages = append(body.Messages, openai.ToolMessage("24 degrees", call.ID))
			}
		}
		found := append(cities, said)
		if err := same("cities", found, []string{"Paris", "Rome", expected.Said}); err != nil {
			return err
		}
	}
	return nil
}

func embeddings() error {
	reply, err := client.Embeddings.New(late, openai.EmbeddingNewParams{
		Model: expected.Models["embedding"],
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts(150)},
	})
	if err != nil {
		return err
	}
	for at, one := range reply.Data {
		if err := same("length", one.Embedding[0], at+1); err != nil {
			return err
		}
	}
	return same("count", len(reply.Data), 150)
}

func images() error {
	reply, err := client.Images.Generate(late, openai.ImageGenerateParams{
		Model:          expected.Models["image"],
		Prompt:         "A red boat",
		ResponseFormat: openai.ImageGenerateParamsResponseFormatB64JSON,
	})
	if err != nil {
		return err
	}
	bytes, err := base64.StdEncoding.DecodeString(reply.Data[0].B64JSON)
	return errors.Join(err, same("form", string(bytes[1:4]), "PNG"))
}

func speech() error {
	reply, err := client.Audio.Speech.New(late, openai.AudioSpeechNewParams{
		Model: expected.Models["speech"],
		Input: "Hello",
		Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")},
	})
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	bytes, err := io.ReadAll(reply.Body)
	if len(bytes) < 400 {
		return fmt.Errorf("only %d bytes", len(bytes))
	}
	return err
}

func transcription() error {
	asking := func() openai.AudioTranscriptionNewParams {
		return openai.AudioTranscriptionNewParams{
			Model: expected.Models["transcription"],
			File:  openai.File(strings.NewReader(recording()), "talk.wav", "audio/wav"),
		}
	}
	reply, err := client.Audio.Transcriptions.New(late, asking())
	if err != nil {
		return err
	}
	if err := same("text", reply.Text, expected.Heard); err != nil {
		return err
	}
	text, all := "", ""
	stream := client.Audio.Transcriptions.NewStreaming(late, asking())
	for stream.Next() {
		event := stream.Current()
		text += event.Delta
		if event.Type == "transcript.text.done" {
			all = event.Text
		}
	}
	if err := stream.Err(); err != nil {
		return err
	}
	if err := same("streamed text", text, expected.Heard); err != nil {
		return err
	}
	return same("whole text", all, expected.Heard)
}

func moderation() error {
	reply, err := client.Moderations.New(late, openai.ModerationNewParams{
		Input: openai.ModerationNewParamsInputUnion{
			OfStringArray: append(texts(149), expected.Rude),
		},
	})
	if err != nil {
		return err
	}
	results := reply.Results
	if err := same("count", len(results), 150); err != nil {
		return err
	}
	flagged := []bool{results[0].Flagged, results[149].Flagged}
	return same("flagged", flagged, []bool{false, true})
}

func guard() error {
	policy := map[string]any{"input": map[string]any{"mode": "block"}}
	field := map[string]any{"model": "omni-moderation-latest", "policy": policy}
	prompt := expected.Rude + " " + saying(expected.Said)
	shown, err := askWith(expected.Models["chat"], prompt, option.WithJSONSet("moderation", field))
	return errors.Join(err, same("finish", shown.Finish, "content_filter"))
}

func failing(status int, word string, err error) error {
	var refusal *openai.Error
	if !errors.As(err, &refusal) {
		return fmt.Errorf("not the client's error: %v", err)
	}
	if !strings.Contains(refusal.Message, word) {
		return fmt.Errorf("%q is not in: %s", word, refusal.Message)
	}
	return same("status", refusal.StatusCode, status)
}

func errorsOf() error {
	_, unknown := askWith("no-such-model", saying(expected.Said))
	prompt := scripted("400")
	_, refused := ask(prompt)
	count, err := timesAsked(prompt)
	spent := option.WithAPIKey(os.Getenv("SPENT_API_KEY"))
	_, used := askWith(expected.Models["chat"], saying(expected.Said), spent)
	return errors.Join(
		failing(404, "no-such-model", unknown),
		failing(400, "Scripted", refused),
		err,
		same("count", count, 1),
		failing(429, "neurons", used),
	)
}

func main() {
	showVersion("github.com/openai/openai-go/v3")
	try("text", nil, text)
	try("stream", nil, streaming)
	try("objects", nil, objects)
	try("tools", nil, tools)
	try("responses", nil, responsesOf)
	try("embeddings", nil, embeddings)
	try("images", nil, images)
	try("speech", nil, speech)
	try("transcription", nil, transcription)
	try("moderation", nil, moderation)
	try("guard", nil, guard)
	try("errors", nil, errorsOf)
	for _, odd := range expected.Odd {
		one := ask
		if odd.Streamed {
			one = stream
		}
		try("odd", odd.Name, func() error { return oddAnswer(odd, one) })
	}
}
