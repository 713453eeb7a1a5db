package flow

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/loglimit"
)

// logLines keeps the lines of a log above Debug.
type logLines struct {
	mu    sync.Mutex
	lines []map[string]string
}

func (l *logLines) Enabled(context.Context, slog.Level) bool { return true }
func (l *logLines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logLines) WithGroup(string) slog.Handler            { return l }
func (l *logLines) Handle(_ context.Context, r slog.Record) error {
	if r.Level <= slog.LevelDebug {
		return nil
	}
	line := map[string]string{"": r.Message}
	r.Attrs(func(a slog.Attr) bool { line[a.Key] = a.Value.String(); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	return nil
}

// TestLogIsBounded: codes that anybody can make up do not fill the log, and what is left out is
// counted. A client that has gone is not worth a line.
func TestLogIsBounded(t *testing.T) {
	refused := map[string][]conformance.Answer{"POST /oauth2/token": {{Status: 400, JSON: []byte(`{"error":"invalid_grant"}`)}}}
	log, now := &logLines{}, time.Now()
	f := newFixture(t, refused, func(_ *amplify.Config, o *Options) {
		o.App.Logger, o.App.Clock = slog.New(log), func() time.Time { return now }
	})
	routes := f.routes(t, RoutesOptions{})
	ask := func(ctx context.Context, code string) {
		state := newState("")
		r := request("/api/auth/sign-in-callback?code="+code+"&state="+state, stateCookie+"="+state+"; "+pkceCookie+"=v", navigation...)
		serve(routes, r.WithContext(ctx))
	}
	for i := range 100 {
		ask(t.Context(), fmt.Sprint(i))
	}
	if n := len(log.lines); n != loglimit.Lines {
		t.Errorf("%d lines of 100 refused codes, want %d", n, loglimit.Lines)
	}
	now = now.Add(loglimit.Interval)
	ask(t.Context(), "another")
	if last := log.lines[len(log.lines)-1]; last["dropped"] != "90" {
		t.Errorf("the next line says %v", last)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	before := len(log.lines)
	ask(gone, "gone")
	if n := len(log.lines) - before; n != 0 {
		t.Errorf("%d lines of a client that has gone", n)
	}
}
