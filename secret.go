package amplify

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// Secret is a text that must not reach a log or an error: however it is
// printed, marshalled or logged, only "[redacted]" is written. Reveal is the
// one way to its content.
//
// The zero value is the empty secret. Secrets are compared with Equal.
type Secret struct {
	// A closure, since methods do not protect everywhere: package fmt prints unexported fields of other structs
	// without them, and so do dumpers that work by reflection. Neither can look into a function.
	reveal func() string
}

const redacted = "[redacted]"

// NewSecret returns s as a Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{func() string { return s }}
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal reports whether both secrets are the same text. How long it takes tells nothing but
// whether they have the same length.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

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
