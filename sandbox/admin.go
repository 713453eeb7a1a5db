package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/amplify-go/amplify/sandbox/faults"
)

// Faults returns the faults of the sandbox. Those that are added strike from the next call on.
func (s *Sandbox) Faults() *faults.Set { return s.faults }

// SetClockOffset sets the sandbox's clock d ahead of the right time, or
// behind it if d is negative. The clock decides the Date header of answers,
// the times in tokens and credentials, and whether one of those has expired.
func (s *Sandbox) SetClockOffset(d time.Duration) { s.clock.SetOffset(d) }

// RotateKeys makes new signing keys, which sign all tokens from now
// on. The previous keys stay in the key set until the next rotation.
func (s *Sandbox) RotateKeys(ctx context.Context) error { return s.pool.RotateKeys(ctx) }

// Calls returns how many calls have arrived, by operation:
// "InitiateAuth", "jwks.json", "/oauth2/token" … Operations that the
// sandbox does not have count together, as "UnknownOperation".
func (s *Sandbox) Calls() map[string]int { return s.calls.Counts() }

// ResetCalls sets the counters of Calls to zero.
func (s *Sandbox) ResetCalls() { s.calls.Reset() }

// registerAdmin adds the routes of the admin API, which the package comment lists.
func (s *Sandbox) registerAdmin(mux *http.ServeMux) {
	handle := func(pattern string, serve func(w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			header := w.Header()
			header.Set("Cache-Control", "no-store")
			header.Set("Cross-Origin-Resource-Policy", "same-origin")
			header.Set("X-Content-Type-Options", "nosniff")
			err := checkAdmin(r)
			if err == nil {
				err = serve(w, r)
			}
			var refused *adminError
			switch {
			case errors.As(err, &refused):
				_ = writeJSON(w, refused.status, map[string]string{"error": refused.message})
			case err != nil:
				s.logger.ErrorContext(r.Context(), "sandbox: the admin API failed", "path", r.URL.Path, "error", err)
				_ = writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "The sandbox failed; its log says why."})
			}
		})
	}
	none := func(w http.ResponseWriter) error {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}

	handle("GET /admin/faults", func(w http.ResponseWriter, _ *http.Request) error {
		return writeJSON(w, http.StatusOK, map[string]any{
			"faults": s.faults.List(), "operations": s.faults.Operations(), "outcomes": faults.Outcomes()})
	})
	handle("POST /admin/faults", func(w http.ResponseWriter, r *http.Request) error {
		var f faults.Fault
		if err := readJSON(w, r, &f); err != nil {
			return err
		}
		id, err := s.faults.Add(f)
		if err != nil {
			return &adminError{http.StatusBadRequest, err.Error()}
		}
		return writeJSON(w, http.StatusCreated, map[string]int{"id": id})
	})
	handle("DELETE /admin/faults", func(w http.ResponseWriter, _ *http.Request) error {
		s.faults.Clear()
		return none(w)
	})
	handle("DELETE /admin/faults/{id}", func(w http.ResponseWriter, r *http.Request) error {
		if id, err := strconv.Atoi(r.PathValue("id")); err != nil || !s.faults.Remove(id) {
			return &adminError{http.StatusNotFound, "there is no such fault"}
		}
		return none(w)
	})
	handle("GET /admin/calls", func(w http.ResponseWriter, _ *http.Request) error {
		return writeJSON(w, http.StatusOK, map[string]any{"counts": s.calls.Counts()})
	})
	handle("DELETE /admin/calls", func(w http.ResponseWriter, _ *http.Request) error {
		s.calls.Reset()
		return none(w)
	})
	clock := func(w http.ResponseWriter) error {
		return writeJSON(w, http.StatusOK, map[string]any{"offset": s.clock.Offset().String(), "now": s.clock.Now()})
	}
	handle("GET /admin/clock", func(w http.ResponseWriter, _ *http.Request) error { return clock(w) })
	handle("PUT /admin/clock", func(w http.ResponseWriter, r *http.Request) error {
		var in struct{ Offset string }
		if err := readJSON(w, r, &in); err != nil {
			return err
		}
		d, err := time.ParseDuration(in.Offset)
		if err != nil {
			return &adminError{http.StatusBadRequest, `the offset is not a duration such as "-10m"`}
		}
		s.clock.SetOffset(d)
		return clock(w)
	})
	handle("POST /admin/keys/rotate", func(w http.ResponseWriter, r *http.Request) error {
		if err := s.RotateKeys(r.Context()); err != nil {
			return err
		}
		return none(w)
	})
}

// adminError is a mistake of the caller of the admin API.
type adminError struct {
	status  int
	message string
}

func (e *adminError) Error() string { return e.message }

// checkAdmin refuses what a page of another origin sent. [loopbackOnly]
// has made sure that the origin of the admin API is this machine.
func checkAdmin(r *http.Request) error {
	if http.NewCrossOriginProtection().Check(r) != nil {
		return &adminError{http.StatusForbidden, "another origin sent this"}
	}
	return nil
}

// readJSON reads the body. It demands the Content-Type of
// JSON, because HTML forms of other sites cannot send that.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return &adminError{http.StatusUnsupportedMediaType, "the Content-Type must be application/json"}
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return &adminError{http.StatusBadRequest, fmt.Sprintf("the body cannot be read: %v", err)}
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
	return nil
}
