package flow

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/amplify-go/amplify"
)

// Response is the answer to a request. Cookies are not part of it: they are in the exchange, which
// puts them into the header by [Exchange.Commit].
type Response struct {
	Status int
	// Header has canonical keys.
	Header http.Header
	Body   []byte
}

// newResponse returns a response that no cache keeps.
func newResponse(status int, contentType string, body []byte) *Response {
	h := http.Header{"Cache-Control": {private}}
	if contentType != "" {
		h.Set("Content-Type", contentType)
		h.Set("X-Content-Type-Options", "nosniff")
	}
	return &Response{status, h, body}
}

// redirect sends a user on. Targets are the configuration's, or checked.
func redirect(status int, to string) *Response {
	answer := newResponse(status, "", nil)
	answer.Header.Set("Location", to)
	return answer
}

// refuse answers a request that no user has made on purpose, or that belongs to no route.
func refuse(status int) *Response {
	return newResponse(status, "text/plain; charset=utf-8", []byte(http.StatusText(status)+"\n"))
}

// failure answers a program. The message of err is left out: it may name what the
// caller need not know.
func failure(status int, err error) *Response {
	var body struct {
		Error  string         `json:"error"`
		Reason amplify.Reason `json:"reason,omitempty"`
	}
	body.Error, body.Reason = "UnknownError", amplify.ReasonOf(err)
	if e := (*amplify.Error)(nil); errors.As(err, &e) {
		body.Error = e.Name
	}
	text, _ := json.Marshal(body) // two strings
	return newResponse(status, "application/json", append(text, '\n'))
}
