package login

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Config is what managed login is made of.
type Config struct {
	// Pool and Store are required. Store is the one that Pool keeps its users in.
	Pool  *userpool.Pool
	Store *store.Store
	// Logger is told of what broke. The default is [slog.Default].
	Logger *slog.Logger
	// Inbox is the address of the page that shows the codes which were sent, such
	// as "/inbox". Pages that ask for a code link to it, unless it is empty.
	Inbox string
}

// Handler serves managed login. It is safe for concurrent use.
type Handler struct {
	Config
	mux     *http.ServeMux
	pages   *ui.Pages
	locales map[string]*locale
}

//go:embed pages/*.html
var pageFiles embed.FS

// New returns a handler for the routes that the package comment lists, and for
// the assets of their pages below [ui.AssetPrefix].
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	assets := ui.NewAssets()
	h := &Handler{
		Config:  cfg,
		mux:     http.NewServeMux(),
		pages:   ui.NewPages(assets, pageFiles, "pages"),
		locales: loadLocales(),
	}
	h.mux.Handle("GET "+ui.AssetPrefix, assets)

	h.mux.Handle("GET /oauth2/authorize", h.within(h.authorize))
	h.mux.Handle("GET /login", h.within(h.showSignIn))
	h.mux.Handle("POST /login", h.form(h.signIn))
	h.mux.Handle("GET /signup", h.within(h.showSignUp))
	h.mux.Handle("POST /signup", h.form(h.signUp))
	h.mux.Handle("GET /confirm", h.within(h.showConfirm))
	h.mux.Handle("POST /confirm", h.form(h.confirm))
	h.mux.Handle("POST /resendcode", h.form(h.resendCode))
	h.mux.Handle("GET /forgotPassword", h.within(h.showForgot))
	h.mux.Handle("POST /forgotPassword", h.form(h.forgot))
	h.mux.Handle("GET /confirmForgotPassword", h.within(h.showReset))
	h.mux.Handle("POST /confirmForgotPassword", h.form(h.reset))
	h.mux.Handle("GET /newPassword", h.within(h.showNewPassword))
	h.mux.Handle("POST /newPassword", h.form(h.newPassword))
	h.mux.Handle("GET /pretend/{provider}", h.within(h.showPretend))
	h.mux.Handle("POST /pretend/{provider}", h.form(h.pretend))
	h.mux.HandleFunc("GET /logout", h.logout)

	h.mux.Handle("POST /oauth2/token", h.service(h.token))
	h.mux.Handle("OPTIONS /oauth2/token", h.preflight("POST"))
	h.mux.Handle("POST /oauth2/revoke", h.service(h.revoke))
	h.mux.Handle("OPTIONS /oauth2/revoke", h.preflight("POST"))
	h.mux.Handle("GET /oauth2/userInfo", h.service(h.userInfo))
	h.mux.Handle("POST /oauth2/userInfo", h.service(h.userInfo))
	h.mux.Handle("OPTIONS /oauth2/userInfo", h.preflight("GET, POST"))
	return h
}

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// ServeMux takes GET for HEAD too. A HEAD request must neither issue a code
	// nor end a session, and nothing here is worth less than that.
	if r.Method == http.MethodHead {
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// An exchange is one request and its response, within an authorization request.
type exchange struct {
	*authRequest
	w   http.ResponseWriter
	r   *http.Request
	loc *locale
}

func (x *exchange) ctx() context.Context { return x.r.Context() }

// redirect sends the browser on by GET, also after a form: 303 never resends a
// password (RFC 9700 §4.12).
func (x *exchange) redirect(target string) {
	status := http.StatusFound
	if x.r.Method != http.MethodGet {
		status = http.StatusSeeOther
	}
	sendTo(x.w, status, target)
}

// sendTo redirects to a target that is sent as it is: one that was checked, or
// one of our own.
func sendTo(w http.ResponseWriter, status int, target string) {
	ui.Secure(w.Header())
	w.Header().Set("Location", target)
	w.WriteHeader(status)
}

// within serves a page that belongs to an authorization request, which it
// validates anew each time.
func (h *Handler) within(serve func(*exchange) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{w: w, r: r, loc: h.locale(w, r)}
		req, err := parseRequest(r.URL.RawQuery, h.client)
		if err == nil {
			x.authRequest = req
			err = serve(x)
		}
		if err != nil {
			h.fail(x, err)
		}
	})
}

// form is within for a form that was submitted by the page that we sent.
func (h *Handler) form(serve func(*exchange) error) http.Handler {
	return h.within(func(x *exchange) error {
		if err := ui.CheckForm(x.w, x.r); err != nil {
			return err
		}
		return serve(x)
	})
}

// fail answers a request that ended in an error.
func (h *Handler) fail(x *exchange, err error) {
	var page *pageError
	var redirect *redirectError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &redirect):
		x.redirect(redirect.target())
	case errors.As(err, &page):
		h.show(x, http.StatusBadRequest, "problem", view{Data: page})
	case errors.Is(err, ui.ErrCrossSite), errors.Is(err, ui.ErrFormToken):
		h.show(x, http.StatusForbidden, "problem_form", view{})
	case userpool.CodeOf(err) != "":
		// The pool changed between two pages: a user who was signing in is gone.
		h.show(x, http.StatusConflict, "problem_form", view{})
	case errors.As(err, &tooLarge):
		h.show(x, http.StatusRequestEntityTooLarge, "problem_form", view{})
	default:
		h.Logger.ErrorContext(x.ctx(), "managed login failed", "path", x.r.URL.Path, "error", err)
		h.show(x, http.StatusInternalServerError, "problem_server", view{})
	}
}
