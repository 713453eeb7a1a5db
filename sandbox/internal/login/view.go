package login

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// view is the data of a template.
type view struct {
	*locale
	// FormToken goes into the hidden field of every form.
	FormToken string
	// Error and Notice are sentences in the user's language.
	Error, Notice string
	// Fields are the inputs of the page's form.
	Fields []field
	// Data is specific to the page.
	Data any

	Languages []languageLink
	Inbox     string

	request *authRequest
}

// Link returns the address of another page of the same authorization request.
func (v view) Link(path string) string { return v.request.link(path) }

// Continues reports whether the page belongs to an authorization request.
func (v view) Continues() bool { return v.request != nil }

// Focused reports whether the cursor should start in field i. That is the first empty field.
func (v view) Focused(i int) bool {
	return i == slices.IndexFunc(v.Fields, func(f field) bool { return f.Value == "" })
}

type languageLink struct {
	Tag, Name, URL string
}

// show sends a page.
func (h *Handler) show(x *exchange, status int, page string, v view) {
	v.locale, v.request = x.loc, x.authRequest
	if h.inbox != nil {
		v.Inbox = h.inbox(x.r)
	}
	v.FormToken = ui.FormToken(x.w, x.r)
	q := x.r.URL.Query()
	for _, tag := range languages {
		q.Set("lang", tag)
		to := url.URL{Path: x.r.URL.Path, RawQuery: q.Encode()}
		v.Languages = append(v.Languages, languageLink{tag, h.locales[tag].text["language.name"], to.String()})
	}
	if err := h.pages.Write(x.w, status, page, v); err != nil {
		h.logger.ErrorContext(x.ctx(), "managed login could not show a page", "page", page, "error", err)
		http.Error(x.w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// refuse shows a page again, with the reason why its form was
// refused. It returns errors that are not refusals of the pool.
func (h *Handler) refuse(x *exchange, page string, err error, v view) error {
	code := userpool.CodeOf(err)
	if code == "" {
		return err
	}
	if errors.Is(err, userpool.ErrLockedOut) {
		code = "lockedOut"
	}
	v.Error = x.loc.say("error."+page+"."+code, "error."+code, "error.other")
	h.show(x, http.StatusUnprocessableEntity, page, v)
	return nil
}

// incomplete reports whether a form lacks a value or has two
// different passwords. If so, it has shown the page again.
func (h *Handler) incomplete(x *exchange, page string, v view) bool {
	form := x.r.PostForm
	switch {
	case slices.ContainsFunc(v.Fields, func(f field) bool { return x.typed(f.Name) == "" }):
		v.Error = x.loc.say("error.missing")
	case form.Has("password2") && form.Get("password2") != form.Get("password"):
		v.Error = x.loc.say("error.passwordsDiffer")
	default:
		return false
	}
	h.show(x, http.StatusUnprocessableEntity, page, v)
	return true
}
