// What the program of the Go client needs of node/drive.mjs, which says what is in the environment, and
// of node/features.mjs.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
)

type Odd struct {
	Name      string
	Behaviour string
	Streamed  bool
	Fails     bool
	Text      *string
	Finish    string
	Usage     []int64
	Reasoning int64
}

type Expected struct {
	Models            map[string]string
	Said, Heard, Rude string
	Odd               []Odd
}

var expected = readExpected()

func readExpected() Expected {
	var all Expected
	file, err := os.ReadFile("expected.json")
	if err == nil {
		err = json.Unmarshal(file, &all)
	}
	if err != nil {
		panic(err)
	}
	return all
}

// A text that makes the scripted engine behave so (test/fakes/chat.mjs).
func scripted(behaviour string) string {
	return fmt.Sprintf("Hello there. [[fake:%s|%s]]", behaviour, rand.Text())
}

// The engine says this text, in 12 and 5 tokens.
func saying(text string) string {
	return scripted("text=" + url.QueryEscape(text) + "&usage=12/5")
}

// The engine asks for the weather in Paris, then in Rome, and then says the text.
func askingForWeather(more string) string {
	steps := ""
	for _, city := range []string{"Paris", "Rome"} {
		args := url.QueryEscape(fmt.Sprintf(`{"city":%q}`, city))
		steps += "tool=get_weather&args=" + args + "&ids=" + city + "&usage=12/5" + more + ","
	}
	return scripted(steps + "text=" + url.QueryEscape(expected.Said) + "&usage=12/5")
}

// Silence of a second, as 16-bit samples at 8 kHz.
func recording() string {
	const size = 16000
	head := "RIFF\xa4\x3e\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" +
		"\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x80\x3e\x00\x00"
	return head + strings.Repeat("\x00", size)
}

func texts(count int) []string {
	all := make([]string, count)
	for at := range all {
		all[at] = strings.Repeat("x", at+1)
	}
	return all
}

// How many chats the engine was asked for with this prompt.
func timesAsked(prompt string) (int, error) {
	query := os.Getenv("OPENAI_UPSTREAM_URL") + "__requests?match=" + url.QueryEscape(prompt)
	reply, err := http.Get(query)
	if err != nil {
		return 0, err
	}
	defer reply.Body.Close()
	var all []struct{ Task string }
	err = json.NewDecoder(reply.Body).Decode(&all)
	count := 0
	for _, one := range all {
		if one.Task == "chat" {
			count++
		}
	}
	return count, err
}

// What a client shows of an answer.
type Shown struct {
	Text, Finish string
	Usage        []int64
	Reasoning    int64
}

func same(name string, found, wanted any) error {
	a, _ := json.Marshal(found)
	b, _ := json.Marshal(wanted)
	if string(a) != string(b) {
		return fmt.Errorf("%s: %s, and not %s", name, a, b)
	}
	return nil
}

func oddAnswer(odd Odd, ask func(string) (Shown, error)) error {
	prompt := scripted("text=" + url.QueryEscape(expected.Said) + "&" + odd.Behaviour)
	shown, err := ask(prompt)
	if odd.Fails {
		if err == nil {
			return fmt.Errorf("it was not refused: %v", shown)
		}
		return nil
	}
	if err != nil {
		return err
	}
	text := expected.Said
	if odd.Text != nil {
		text = *odd.Text
	}
	errs := []error{same("text", shown.Text, text)}
	if odd.Finish != "" {
		errs = append(errs, same("finish", shown.Finish, odd.Finish))
	}
	if odd.Usage != nil {
		errs = append(errs, same("usage", shown.Usage, odd.Usage))
	}
	if odd.Reasoning != 0 {
		errs = append(errs, same("reasoning", shown.Reasoning, odd.Reasoning))
	}
	return errors.Join(errs...)
}

func show(line map[string]any) {
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}

func showVersion(module string) {
	info, _ := debug.ReadBuildInfo()
	for _, one := range info.Deps {
		if one.Path == module {
			show(map[string]any{"versions": []string{strings.TrimPrefix(one.Version, "v")}})
		}
	}
}

// Uses a feature and prints whether it works; `name` is that of an odd answer, or nil.
func try(feature string, name any, use func() error) {
	line := map[string]any{"feature": feature, "name": name, "works": true}
	func() {
		defer func() {
			if slip := recover(); slip != nil {
				line["works"], line["why"] = false, fmt.Sprint(slip)
			}
		}()
		if err := use(); err != nil {
			line["works"], line["why"] = false, err.Error()
		}
	}()
	show(line)
}
