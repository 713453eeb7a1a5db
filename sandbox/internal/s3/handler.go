package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

const (
	// Account is the number of the AWS account that owns all buckets. There is no such account.
	Account = "000000000000"
	hostID  = "sandbox"
)

// Config configures S3.
type Config struct {
	Objects *objects.Store
	// Region is that of requests that name no bucket, and of buckets that are created.
	Region string
	// Rules are the rules of buckets. In a bucket without, only the administrator may do anything.
	Rules map[string]*access.Rules
	// Credentials returns who has these credentials, and their secret key. A signature tells
	// whether they really do. The error is one of this package's.
	Credentials func(r *http.Request, accessKeyID, sessionToken string) (Caller, string, error)
	// HostBucket returns the bucket that a host of S3 names, or "" if it names none.
	HostBucket func(host string) string
	Clock      func() time.Time
	Logger     *slog.Logger
}

// Caller is who sent a request.
type Caller struct {
	// Admin may do everything, and the rules are not for them.
	Admin bool
	access.Caller
	// ARN names the caller in errors.
	ARN string
	// ID tells callers apart.
	ID string
}

// Errors of [Config.Credentials].
var (
	ErrUnknownKey = &Error{http.StatusForbidden, "InvalidAccessKeyId",
		"The AWS Access Key Id you provided does not exist in our records.", nil}
	ErrInvalidToken = &Error{http.StatusBadRequest, "InvalidToken",
		"The provided token is malformed or otherwise invalid.", nil}
	ErrExpiredToken = &Error{http.StatusBadRequest, "ExpiredToken",
		"The provided token has expired.", nil}
)

// Handler answers requests for S3. It is safe for concurrent use.
type Handler struct{ cfg Config }

// NewHandler returns the handler that cfg describes.
func NewHandler(cfg Config) *Handler { return &Handler{cfg} }

// request is a request of a caller.
type request struct {
	*http.Request
	h      *Handler
	name   string // of the bucket, or ""
	bucket objects.Bucket
	key    string
	query  url.Values
	caller Caller
	// content is the body of an operation whose body is small.
	content []byte
	// body is the body of others. It fails where the body is not what was signed.
	body *body
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := rand.Text()[:16]
	header := w.Header()
	header.Set("X-Amz-Request-Id", requestID)
	header.Set("X-Amz-Id-2", hostID)
	protect(header)
	if r.Method == http.MethodOptions {
		h.preflight(w, r, requestID)
		return
	}
	if r.Header.Get("Origin") != "" {
		allowOrigin(header)
	}
	err := h.serve(w, r)
	var refused *Error
	switch {
	case err == nil:
		return
	case errors.As(err, &refused):
	case errors.Is(err, context.Canceled): // the caller has gone
		panic(http.ErrAbortHandler)
	default:
		h.cfg.Logger.ErrorContext(r.Context(), "sandbox: S3 failed", "operation", h.Operation(r),
			"error", err)
		refused = newError(http.StatusInternalServerError, "InternalError",
			"The sandbox failed; its log says why.")
	}
	if r.Header.Get("Expect") == "" {
		// Clients that are still sending would see a broken connection instead of the answer.
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
	}
	fail(w, r, refused, requestID)
}

// protect keeps what somebody uploaded from acting as a page of the sandbox, whose console has the
// same origin on loopback.
func protect(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "sandbox")
}

// maxDrained is how much is read of a body that is not wanted.
const maxDrained = 16 << 20

// Fail answers a request with an error.
func Fail(w http.ResponseWriter, r *http.Request, e *Error) {
	if r.Header.Get("Origin") != "" {
		allowOrigin(w.Header())
	}
	fail(w, r, e, rand.Text()[:16])
}

func fail(w http.ResponseWriter, r *http.Request, e *Error, requestID string) {
	w.Header().Del("Content-Length")
	if e.Code != "" {
		w.Header().Set("X-Amzn-Errortype", e.Code) // for the sandbox's own record of calls
	}
	if e.Status == http.StatusNotModified || r.Method == http.MethodHead {
		w.WriteHeader(e.Status)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.Status)
	_, _ = io.WriteString(w, e.xml(requestID))
}

// maxKey is how many bytes a key may have (Amazon S3 User Guide, "Naming Amazon S3 objects").
const maxKey = 1024

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	q := &request{Request: r, h: h, query: parseQuery(r.URL.RawQuery)}
	q.name, q.key = h.target(r)
	if err := checkHeaderSize(r.Header); err != nil {
		return err
	}
	if !utf8.ValidString(q.name) || !utf8.ValidString(q.key) || q.name == "" && q.key != "" {
		return badRequest("InvalidURI", "Couldn't parse the specified URI.")
	}
	region, found := h.cfg.Region, false
	if q.name != "" {
		b, err := h.cfg.Objects.Bucket(r.Context(), q.name)
		switch {
		case err == nil:
			q.bucket, region, found = b, b.Region, true
		case !errors.Is(err, objects.ErrNoBucket):
			return err
		}
	}
	if err := h.authenticate(q, region); err != nil {
		return err
	}
	op := h.operation(r) // now that parameters of a presigned URL are headers
	if op.streams {
		if err := q.body.decode(q); err != nil {
			return err
		}
	} else if err := q.readContent(); err != nil {
		return err
	}
	if !found && q.name != "" && op.name != "CreateBucket" {
		return noSuchBucket(q.name)
	}
	if o := q.Header.Get("X-Amz-Expected-Bucket-Owner"); o != "" && o != Account {
		return accessDenied("Access Denied.")
	}
	if len(q.key) > maxKey {
		return badRequest("KeyTooLongError", "Your key is too long.", "Size",
			fmt.Sprint(len(q.key)), "MaxSizeAllowed", fmt.Sprint(maxKey))
	}
	if err := checkLacking(q.Header); err != nil {
		return err
	}
	return q.explain(op.run(q, w))
}

// explain returns what S3 says where the store refuses what a request is about.
func (q *request) explain(err error) error {
	switch {
	case errors.Is(err, objects.ErrNoBucket): // it was deleted in the meantime
		return noSuchBucket(q.name)
	case errors.Is(err, objects.ErrNoObject):
		return q.missing(q.name, q.key)
	case errors.Is(err, objects.ErrNoUpload):
		return noSuchUpload(q.query.Get("uploadId"))
	case errors.Is(err, objects.ErrFull):
		return insufficientStorage("The sandbox keeps objects in memory, and that is full: start " +
			"it with a data directory.")
	case errors.Is(err, syscall.ENOSPC):
		return insufficientStorage("The disk with the sandbox's data directory is full.")
	}
	return err
}

// target returns the bucket and the key that a request names: by its host, or by its path.
func (h *Handler) target(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if b := h.cfg.HostBucket(r.Host); b != "" {
		return b, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// parseQuery reads a query. Other than url.ParseQuery it takes semicolons
// for what they are, and leaves out nothing.
func parseQuery(raw string) url.Values {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if n, err := url.QueryUnescape(name); err == nil {
			name = n
		}
		if v, err := url.QueryUnescape(value); err == nil {
			value = v
		}
		values.Add(name, value)
	}
	return values
}
