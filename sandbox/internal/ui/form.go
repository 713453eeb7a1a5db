package ui

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
)

// MaxForm is how many bytes the body of a form may have.
const MaxForm = 64 << 10

// FormTokenField is the name of the hidden field that carries the form token.
const FormTokenField = "csrf"

// Browsers share cookies between all ports of a host, and an application under
// test often runs on another port of the same one. So cookies of the sandbox
// have names that no application uses.
const formTokenCookie = "sandbox_csrf"

// ErrForm is the error of [CheckForm] for a refused form.
var ErrForm = errors.New("refused form")

// FormToken returns the random token of this browser. It sets a cookie with a new token
// if the browser has none. Every form that changes something must carry the token in a
// hidden field named [FormTokenField]. Call FormToken before the header is written.
func FormToken(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(formTokenCookie); err == nil && isToken(c.Value) {
		return c.Value
	}
	token := NewToken()
	SetCookie(w, r, formTokenCookie, token, 0)
	return token
}

// CheckForm parses the form of a POST request. It returns [ErrForm] if the
// form must be refused, for one of three reasons. The browser says that
// another site sent it ([http.CrossOriginProtection]). It lacks the token
// that only the sandbox's pages contain, which also protects browsers that
// send neither Origin nor Sec-Fetch-Site. Or it is malformed or too large.
func CheckForm(w http.ResponseWriter, r *http.Request) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	c, err := r.Cookie(formTokenCookie)
	if err != nil || !isToken(c.Value) ||
		subtle.ConstantTimeCompare([]byte(c.Value), []byte(r.PostForm.Get(FormTokenField))) != 1 {
		return fmt.Errorf("%w: it does not carry the token of this browser", ErrForm)
	}
	return nil
}

// NewToken returns 256 random bits as 43 characters that are safe in URLs,
// cookies and forms.
func NewToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

func isToken(s string) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && len(b) == 32
}

// SetCookie sets a cookie for the sandbox's pages. It is HttpOnly, SameSite=Lax,
// and Secure if the request came by TLS. maxAge is in seconds. Zero keeps the
// cookie until the browser closes, and a negative number deletes it.
func SetCookie(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
}
