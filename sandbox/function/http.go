package function

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxAnswer is how large the answer of a function may be (AWS Lambda Developer
// Guide, "Lambda quotas": invocation payload).
const maxAnswer = 6 << 20

// HTTP returns a [Handler] that asks a program of its own: it sends the event as JSON to an address
// by POST. The value is the JSON in the answer, or null if that is empty. An answer with another
// status than 2xx is an error with its text. A nil client means one that follows no redirects,
// since the event tells who is calling.
func HTTP(client *http.Client, address string) Handler {
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	}
	return func(ctx context.Context, e Event) (any, error) {
		body, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/json")
		response, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
		switch {
		case err != nil:
			return nil, err
		case len(answer) > maxAnswer:
			return nil, fmt.Errorf("the function's answer is larger than %d bytes", maxAnswer)
		case response.StatusCode < 200 || response.StatusCode > 299:
			return nil, fmt.Errorf("%s", strings.TrimSpace(string(answer)))
		case len(bytes.TrimSpace(answer)) == 0:
			return nil, nil
		case !json.Valid(answer):
			return nil, fmt.Errorf("the function's answer is not JSON")
		}
		return json.RawMessage(answer), nil
	}
}
