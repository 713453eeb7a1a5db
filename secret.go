package amplify

import (
	"fmt"
	"log/slog"
)

// Secret is a text that must not reach a log or an error: however it is
// printed, marshalled or logged, only "[redacted]" is written. Reveal is the
// one way to its content.
//
// Secrets are comparable; the zero value is the empty secret.
type Secret struct{ s string }

const redacted = "[redacted]"

// NewSecret returns s as a Secret.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the text.
func (s Secret) Reveal() string { return s.s }

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.s == "" }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (Secret) GoString() string { return redacted }

// Format writes "[redacted]", whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText returns "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" as a JSON string.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
