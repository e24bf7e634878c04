// A receiver in Go. The example of docs/webhooks.md stands between the marks.
package main

// docs:begin
import (
	"encoding/json"
	"io"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type Event struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

func hooks(webhook *standardwebhooks.Webhook) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || webhook.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var event Event
		if json.Unmarshal(body, &event) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		handle(event)
		w.WriteHeader(http.StatusNoContent)
	}
}

// docs:end

func handle(event Event) {
	line, _ := json.Marshal(event)
	os.Stdout.WriteString("accepted " + string(line) + "\n")
}

func main() {
	webhook, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		panic(err)
	}
	http.HandleFunc("POST /hooks", hooks(webhook))
	os.Stdout.WriteString("listening\n")
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
