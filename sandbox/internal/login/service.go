package login

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"

	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// oauthError is the refusal of an endpoint that applications call.
type oauthError struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	// Challenge is the value of WWW-Authenticate, or empty.
	Challenge string `json:"-"`
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

// badRequest returns an error of RFC 6749 §5.2.
func badRequest(code, description string) *oauthError {
	return &oauthError{Status: http.StatusBadRequest, Code: code, Description: description}
}

// service serves an endpoint that applications call.
// Pages of any origin may call it, so it ignores cookies.
func (h *Handler) service(serve func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowAnyOrigin(w.Header())
		w.Header().Set("Cache-Control", "no-store") // RFC 6749 §5.1
		w.Header().Set("Pragma", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, ui.MaxForm)
		err := serve(w, r)
		if err == nil {
			return
		}
		var refusal *oauthError
		if !errors.As(err, &refusal) {
			h.logger.ErrorContext(r.Context(), "managed login failed", "path", r.URL.Path, "error", err)
			refusal = &oauthError{Status: http.StatusInternalServerError, Code: "server_error", Description: "The sandbox failed. Its log says why."}
		}
		if refusal.Challenge != "" {
			w.Header().Set("WWW-Authenticate", refusal.Challenge)
		}
		h.writeJSON(w, r, refusal.Status, refusal)
	})
}

// preflight answers the CORS preflight (Fetch, "CORS-preflight request").
func preflight(methods string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowAnyOrigin(w.Header())
		w.Header().Set("Access-Control-Allow-Methods", methods)
		// Amplify JS sends X-Amz-User-Agent.
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Amz-User-Agent")
		w.Header().Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}

func allowAnyOrigin(header http.Header) { header.Set("Access-Control-Allow-Origin", "*") }

func (h *Handler) writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		h.logger.ErrorContext(r.Context(), "managed login failed", "path", r.URL.Path, "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// parameters returns the form of a request. Each parameter may be given once (RFC
// 6749 §3.2). The query string is ignored, because secrets must not be there.
func parameters(r *http.Request) (url.Values, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		return nil, badRequest("invalid_request", "Send the parameters as application/x-www-form-urlencoded.")
	}
	if err := r.ParseForm(); err != nil {
		return nil, badRequest("invalid_request", "The form is malformed or too large.")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return nil, badRequest("invalid_request", "A parameter is included more than once.")
		}
		if values[0] == "" {
			r.PostForm.Del(name) // RFC 6749 §3.2: as if it had been omitted
		}
	}
	return r.PostForm, nil
}

// authenticate returns the client that sent the request (RFC 6749 §2.3.1). A client with a
// secret must send it in the header or in the form. A client without a secret sends its id.
// status is that of the answer to any other client.
func (h *Handler) authenticate(
	r *http.Request, form url.Values, status int,
) (*userpool.Client, error) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	failed := &oauthError{
		Status: status, Code: "invalid_client", Description: "Client authentication failed."}
	if status == http.StatusUnauthorized {
		failed.Challenge = `Basic realm="managed login", charset="UTF-8"` // RFC 9110 §11.6.1
	}
	if r.Header.Get("Authorization") != "" {
		user, password, ok := basicAuth(r)
		if !ok {
			return nil, failed
		}
		if secret != "" || id != "" && id != user {
			return nil, badRequest("invalid_request", "Authenticate the client in one way only.")
		}
		id, secret = user, password
	}
	if id == "" {
		return nil, badRequest("invalid_request", "The parameter client_id is missing.")
	}
	client, err := h.pool.Client(id)
	if userpool.CodeOf(err) == userpool.ResourceNotFound {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	if !client.CheckSecret(secret) {
		return nil, failed
	}
	return client, nil
}

// basicAuth reads id and secret from the header, where each is form-encoded (RFC 6749 §2.3.1).
func basicAuth(r *http.Request) (id, secret string, ok bool) {
	id, secret, ok = r.BasicAuth()
	if !ok {
		return "", "", false
	}
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	return id, secret, err1 == nil && err2 == nil
}
