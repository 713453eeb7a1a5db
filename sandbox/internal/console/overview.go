package console

import (
	"net/http"
	"net/url"

	"github.com/amplify-go/amplify/sandbox/internal/calls"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

type link struct{ Name, URL string }

type overview struct {
	Pool                           userpool.Config
	Issuer                         string
	Users, Groups, Messages, Calls int
	SignIn                         []link
}

func (h *Handler) overview(r *http.Request) (any, error) {
	users, err := h.Pool.Users(r.Context())
	if err != nil {
		return nil, err
	}
	groups, err := h.Pool.Groups(r.Context())
	if err != nil {
		return nil, err
	}
	messages, err := h.Pool.Messages(r.Context(), newest)
	if err != nil {
		return nil, err
	}
	o := overview{
		Pool: h.Pool.Config(), Issuer: h.Pool.Issuer(),
		Users: len(users), Groups: len(groups), Messages: len(messages), SignIn: h.signInLinks(),
	}
	if h.Calls != nil {
		for _, n := range h.Calls.Counts() {
			o.Calls += n
		}
	}
	return o, nil
}

// signInLinks returns a link to managed login for each app client that can use it.
func (h *Handler) signInLinks() []link {
	var links []link
	for _, c := range h.Pool.Config().Clients {
		if len(c.CallbackURLs) == 0 {
			continue
		}
		name := c.Name
		if name == "" {
			name = c.ID
		}
		q := url.Values{
			"client_id": {c.ID}, "response_type": {"code"}, "redirect_uri": {c.CallbackURLs[0]},
		}
		links = append(links, link{name, h.Login + "/login?" + q.Encode()})
	}
	return links
}

func (h *Handler) rotateKeys(r *http.Request) (string, error) {
	return "/console?done=rotated", h.Pool.RotateKeys(r.Context())
}

func (h *Handler) calls(*http.Request) (any, error) {
	if h.Calls == nil {
		return []calls.Call(nil), nil
	}
	return h.Calls.Recent(), nil
}

func (h *Handler) outputs(*http.Request) (any, error) {
	if h.Outputs == nil {
		return "", nil
	}
	return string(h.Outputs()), nil
}
