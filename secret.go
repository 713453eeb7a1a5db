package amplify

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
	"unsafe"
)

// Secret is a text that must not reach a log or an error: however it is printed, marshalled or
// logged, only "[redacted]" is written. Reveal is the one way to its content.
//
// The zero value is the empty secret. Secrets are compared with Equal.
type Secret struct{ text hidden }

const redacted = "[redacted]"

// NewSecret returns s as a Secret.
func NewSecret(s string) Secret {
	return Secret{hide(s)}
}

// Reveal returns the text.
func (s Secret) Reveal() string { return s.text.reveal() }

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text.size == 0 }

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

// hidden is a text behind an untyped pointer. Methods that redact do not protect everywhere:
// package fmt prints unexported fields of other structs without them, and so do dumpers that work
// by reflection. None of these can follow such a pointer. A closure would hide a text as well, at
// the price of an allocation a token.
type hidden struct {
	_    [0]func() // makes == a compile error: it would compare addresses
	data unsafe.Pointer
	size int
}

func hide(s string) hidden {
	if s == "" {
		return hidden{}
	}
	return hidden{data: unsafe.Pointer(unsafe.StringData(s)), size: len(s)}
}

// reveal returns the text. It is no String method: package fmt would call that.
func (h hidden) reveal() string { return unsafe.String((*byte)(h.data), h.size) }
