package login

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/amplify-go/amplify/sandbox/internal/ui"
)

//go:embed lang/*.json
var langFiles embed.FS

// languages are the supported values of lang, in the order
// in which pages offer them. The first one is the default.
var languages = [...]string{"en", "fr", "de", "es", "ja"}

// A locale is the text of all pages in one language.
type locale struct {
	Tag  string // the value of lang, and of the attribute of that name
	text map[string]string
}

// T returns the text for key, formatted with args.
func (l *locale) T(key string, args ...any) (string, error) {
	s, ok := l.text[key]
	if !ok {
		return "", fmt.Errorf("login: no text %q in %s", key, l.Tag)
	}
	if len(args) == 0 {
		return s, nil
	}
	return fmt.Sprintf(s, args...), nil
}

// say returns the text of the first of the keys that has one.
func (l *locale) say(keys ...string) string {
	for _, k := range keys {
		if s, ok := l.text[k]; ok {
			return s
		}
	}
	return keys[len(keys)-1]
}

// loadLocales reads the embedded texts. It panics if a file
// is broken, because the files are part of the program.
func loadLocales() map[string]*locale {
	all := make(map[string]*locale, len(languages))
	for _, tag := range languages {
		raw, err := langFiles.ReadFile("lang/" + tag + ".json")
		l := &locale{Tag: tag}
		if err == nil {
			err = json.Unmarshal(raw, &l.text)
		}
		if err != nil {
			panic("login: texts of " + tag + ": " + err.Error())
		}
		all[tag] = l
	}
	return all
}

const (
	langCookie    = "sandbox_lang"
	langCookieAge = 365 * 24 * 60 * 60 // seconds
)

// locale returns the language of the parameter lang, and remembers it in a
// cookie. Without the parameter, it returns the language of the cookie. Cognito
// ignores Accept-Language (Developer Guide, "Managed login localization").
func (h *Handler) locale(w http.ResponseWriter, r *http.Request) *locale {
	if l, ok := h.locales[r.URL.Query().Get("lang")]; ok {
		ui.SetCookie(w, r, langCookie, l.Tag, langCookieAge)
		return l
	}
	if c, err := r.Cookie(langCookie); err == nil {
		if l, ok := h.locales[c.Value]; ok {
			return l
		}
	}
	return h.locales[languages[0]]
}
