package console

import (
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// newest is the largest number of messages that a page shows.
const newest = 500

type inbox struct {
	To       string
	Messages []userpool.Message
}

func (h *Handler) inbox(r *http.Request) (any, error) {
	to := strings.TrimSpace(r.URL.Query().Get("to"))
	all, err := h.Pool.Messages(r.Context(), newest)
	if err != nil {
		return nil, err
	}
	in := inbox{To: to}
	for _, m := range all {
		if to == "" || strings.EqualFold(m.To, to) {
			in.Messages = append(in.Messages, m)
		}
	}
	return in, nil
}
