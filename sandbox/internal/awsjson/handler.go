package awsjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// maxBody is the size of the largest request that is read.
const maxBody = 128 << 10

// UnknownOperation is the name that [Handler.Operation] gives to all unknown operations.
const UnknownOperation = "UnknownOperation"

// Handler answers the calls of several services. It is safe for concurrent use.
type Handler struct {
	logger     *slog.Logger
	operations map[string]Operation // by whole target
}

// Service is a service with its operations by name. Target is the part
// of X-Amz-Target before the name, such as "AWSCognitoIdentityService".
type Service struct {
	Target     string
	Operations map[string]Operation
}

// NewHandler returns a handler for those services. It logs failures and unknown operations.
func NewHandler(logger *slog.Logger, services ...Service) *Handler {
	h := &Handler{logger: logger, operations: map[string]Operation{}}
	for _, s := range services {
		for name, o := range maps.All(s.Operations) {
			h.operations[s.Target+"."+name] = o
		}
	}
	return h
}

// Operation returns the name of the operation that r
// asks for, without its service, or [UnknownOperation].
func (h *Handler) Operation(r *http.Request) string {
	target := r.Header.Get("X-Amz-Target")
	if _, known := h.operations[target]; !known {
		return UnknownOperation
	}
	return nameOf(target)
}

// Asked returns the name of the operation that r asks for, without its
// service, whether the handler knows it or not. A long name is shortened.
func Asked(r *http.Request) string { return Clip(nameOf(r.Header.Get("X-Amz-Target"))) }

// Operations returns all names that [Handler.Operation] can return.
func (h *Handler) Operations() []string {
	names := []string{UnknownOperation}
	for target := range h.operations {
		names = append(names, nameOf(target))
	}
	return names
}

// nameOf returns the operation of a whole target.
func nameOf(target string) string { return target[strings.LastIndexByte(target, '.')+1:] }

// ServeHTTP answers a call, or its preflight.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		Preflight(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.1")
	header.Set("X-Amzn-Requestid", uuid.NewString())
	AllowOrigin(header)

	target := r.Header.Get("X-Amz-Target")
	o, known := h.operations[target]
	if !known {
		h.logger.WarnContext(r.Context(), "sandbox: a call of an operation that the sandbox does not know", "target", Clip(target))
		Fail(w, http.StatusBadRequest, "UnknownOperationException", "The sandbox does not know the operation "+Clip(target)+".")
		return
	}
	if o.signed && !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") {
		Fail(w, http.StatusBadRequest, "MissingAuthenticationTokenException", "Missing Authentication Token")
		return
	}
	if o.signed && fromPage(r) {
		Fail(w, http.StatusForbidden, "AccessDeniedException", "A web page may not call this operation.")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		Fail(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "The body is too large.")
		return
	} else if err != nil {
		Fail(w, http.StatusBadRequest, "SerializationException", "The body could not be read.")
		return
	}
	out, err := o.do(r.Context(), body)
	var refusal Exception
	switch {
	case errors.As(err, &refusal):
		name, message := refusal.Exception()
		Fail(w, http.StatusBadRequest, name, message)
	case err != nil:
		h.logger.ErrorContext(r.Context(), "sandbox: a call failed", "operation", h.Operation(r), "error", err)
		Fail(w, http.StatusInternalServerError, "InternalErrorException", "The sandbox failed; its log says why.")
	default:
		Write(w, http.StatusOK, out)
	}
}

// fromPage reports whether a web page made the call. Browsers send Origin with each
// POST. They do so for the page's own origin as well, which needs no preflight.
func fromPage(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
}

// Clip shortens what a caller sent, for use in a message.
func Clip(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// Fail answers with an AWS exception.
func Fail(w http.ResponseWriter, status int, name, message string) {
	w.Header().Set("X-Amzn-Errortype", name+":")
	Write(w, status, map[string]string{"__type": name, "message": message})
}

// Write answers with v in JSON.
func Write(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // our own types can be encoded
		panic(err)
	}
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimRight(body.Bytes(), "\n"))
}
