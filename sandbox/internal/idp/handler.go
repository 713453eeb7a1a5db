package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// maxBody is the size of the largest request that is read.
const maxBody = 128 << 10

const targetPrefix = "AWSCognitoIdentityProviderService."

// Handler serves one user pool. It is safe for concurrent use.
type Handler struct {
	pool       *userpool.Pool
	domain     string
	logger     *slog.Logger
	operations map[string]operation
}

// New returns a Handler. Domain is the host of managed login, or "".
func New(pool *userpool.Pool, domain string, logger *slog.Logger) *Handler {
	h := &Handler{pool: pool, domain: domain, logger: logger}
	h.operations = h.table()
	return h
}

// Register adds the handler's routes to mux.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /{$}", h.serve)
	mux.HandleFunc("OPTIONS /{$}", preflight)
	mux.HandleFunc("GET /{pool}/.well-known/jwks.json", h.ofPool(h.jwks))
	mux.HandleFunc("GET /{pool}/.well-known/openid-configuration", h.ofPool(h.openIDConfiguration))
}

// Operation names the operation that r asks for: one that the handler knows or "UnknownOperation".
func (h *Handler) Operation(r *http.Request) string {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if _, known := h.operations[name]; !ok || !known {
		return "UnknownOperation"
	}
	return name
}

// operation answers one call: decoded from body, with what is to be encoded.
type operation struct {
	do func(ctx context.Context, body []byte) (any, error)
	// signed operations are those of administrators: AWS wants them signed.
	signed bool
}

// op makes an operation of a function on the request's Go form.
func op[In any](f func(context.Context, In) (any, error)) operation {
	return operation{do: func(ctx context.Context, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, &userpool.Error{Code: "SerializationException", Message: "The body is not the JSON that the operation takes."}
		}
		return f(ctx, in)
	}}
}

// signed makes an operation of f that only takes signed calls. The signature itself is not checked: there is no
// account here. That one is demanded keeps web pages out, which preflight does not let send any.
func signed[In any](f func(context.Context, In) (any, error)) operation {
	o := op(f)
	o.signed = true
	return o
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.1")
	header.Set("X-Amzn-Requestid", uuid.NewString())
	allowOrigin(header)

	target := r.Header.Get("X-Amz-Target")
	o, known := h.operations[strings.TrimPrefix(target, targetPrefix)]
	if !known || !strings.HasPrefix(target, targetPrefix) {
		h.logger.WarnContext(r.Context(), "sandbox: a call of an operation that the sandbox does not know", "target", clip(target))
		fail(w, http.StatusBadRequest, "UnknownOperationException", "The sandbox does not know the operation "+clip(target)+".")
		return
	}
	if o.signed && !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") {
		fail(w, http.StatusBadRequest, "MissingAuthenticationTokenException", "Missing Authentication Token")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		fail(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "The body is too large.")
		return
	} else if err != nil {
		fail(w, http.StatusBadRequest, "SerializationException", "The body could not be read.")
		return
	}
	out, err := o.do(r.Context(), body)
	var refusal *userpool.Error
	switch {
	case errors.As(err, &refusal):
		fail(w, http.StatusBadRequest, refusal.Code, refusal.Message)
	case err != nil:
		h.logger.ErrorContext(r.Context(), "sandbox: a call failed", "operation", h.Operation(r), "error", err)
		fail(w, http.StatusInternalServerError, "InternalErrorException", "The sandbox failed; its log says why.")
	default:
		write(w, http.StatusOK, out)
	}
}

// clip makes what a caller sent fit for a message.
func clip(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

func fail(w http.ResponseWriter, status int, exception, message string) {
	w.Header().Set("X-Amzn-Errortype", exception+":")
	write(w, status, map[string]string{"__type": exception, "message": message})
}

func write(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // our own types can be encoded
		panic(err)
	}
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimRight(body.Bytes(), "\n"))
}

// allowOrigin lets pages of any origin read the answer, as Cognito does.
func allowOrigin(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date")
}

// preflight answers the CORS preflight (Fetch standard) with leave for all headers but Authorization.
func preflight(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	allowOrigin(header)
	header.Set("Access-Control-Allow-Methods", "POST")
	var allowed []string
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.TrimSpace(name); name != "" && !strings.EqualFold(name, "Authorization") {
			allowed = append(allowed, name)
		}
	}
	header.Set("Access-Control-Allow-Headers", strings.Join(allowed, ","))
	header.Set("Access-Control-Max-Age", "172800")
	header.Add("Vary", "Access-Control-Request-Headers")
	w.WriteHeader(http.StatusOK)
}
