package console

import (
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/internal/calls"
	"github.com/amplify-go/amplify/sandbox/internal/clock"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Config configures a console.
type Config struct {
	// Pool, Faults and Clock are required.
	Pool   *userpool.Pool
	Faults *faults.Set
	Clock  *clock.Clock
	// Storage has the buckets to show. It may be nil.
	Storage *Storage
	// Calls has the calls to show. It may be nil.
	Calls *calls.Log
	// Outputs returns the outputs file. It may be nil.
	Outputs func() []byte
	// Login is the address of managed login, such as "http://localhost:4000".
	// The default is the address at which the console is read.
	Login string
	// Logger gets a record of each failure. The default is [slog.Default].
	Logger *slog.Logger
}

// Handler serves the console. It is safe for concurrent use.
type Handler struct {
	Config
	pages *ui.Pages
}

//go:embed pages/*.html
var pageFiles embed.FS

// New returns a handler.
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Handler{cfg, ui.NewPages(pageFiles, "pages")}
}

// Register adds the routes that the package comment lists to mux. The pages also
// need [ui.Assets].
func (h *Handler) Register(mux *http.ServeMux) {
	mux.Handle("GET /console", h.page("overview", h.overview))
	mux.Handle("GET /console/users", h.page("users", h.users))
	mux.Handle("GET /console/users/{sub}", h.page("user", h.user))
	mux.Handle("GET /console/groups", h.page("groups", h.groups))
	mux.Handle("GET /console/calls", h.page("calls", h.calls))
	mux.Handle("GET /console/outputs", h.page("outputs", h.outputs))
	mux.Handle("GET /inbox", h.page("inbox", h.inbox))
	h.registerStorage(mux)

	mux.Handle("POST /console/users/{sub}/confirm", h.action(h.confirmUser))
	mux.Handle("POST /console/users/{sub}/delete", h.action(h.deleteUser))
	mux.Handle("POST /console/keys/rotate", h.action(h.rotateKeys))

	mux.Handle("GET /console/faults", h.page("faults", h.faultsPage))
	mux.Handle("POST /console/faults", h.action(h.addFault))
	mux.Handle("POST /console/faults/clear", h.action(h.clearFaults))
	mux.Handle("POST /console/faults/{id}/remove", h.action(h.removeFault))
	mux.Handle("POST /console/clock", h.action(h.setClock))
	mux.Handle("POST /console/calls/reset", h.action(h.resetCalls))
}

// view is the data of a template.
type view struct {
	Page      string
	FormToken string
	// Notice is a sentence about the action that led here.
	Notice string
	// Refresh is the number of seconds after which the page loads again. Zero means never.
	Refresh int
	Data    any
}

// Date formats a time. The zero time is empty.
func (view) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Took formats a duration.
func (view) Took(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// notice returns the sentence about an action whose word is in the page's query.
func notice(word string) string {
	switch word {
	case "confirmed":
		return "The user is confirmed and can sign in."
	case "deleted":
		return "The user is deleted."
	case "rotated":
		return "The new keys sign from now on. Tokens of the previous keys stay valid until they expire."
	case "fault":
		return "The fault is added."
	case "unfault":
		return "The fault is removed."
	case "clear":
		return "All faults are removed, and the clock is right."
	case "clock":
		return "The clock is set."
	case "reset":
		return "The counters are reset."
	}
	return ""
}

// page serves a page that shows what data returns.
func (h *Handler) page(name string, data func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, err := data(r)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		v := view{Page: name, Notice: notice(r.URL.Query().Get("done")), Data: d}
		if r.URL.Query().Get("refresh") == "1" {
			v.Refresh = 2
		}
		h.show(w, r, http.StatusOK, name, v)
	})
}

func (h *Handler) show(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	v.FormToken = ui.FormToken(w, r)
	if err := h.pages.Write(w, status, name, v); err != nil {
		h.Logger.ErrorContext(r.Context(), "the console could not show a page", "page", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// action serves a form. do returns the address of the next page.
func (h *Handler) action(do func(*http.Request) (string, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := ui.CheckForm(w, r)
		var target string
		if err == nil {
			target, err = do(r)
		}
		if err != nil {
			h.fail(w, r, err)
			return
		}
		http.Redirect(w, r, target, http.StatusSeeOther)
	})
}

// fail shows a page about an error.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *userpool.Error
	var filled formError
	status, message := http.StatusInternalServerError, "The sandbox failed. Its log says why."
	switch {
	case userpool.CodeOf(err) == userpool.UserNotFound:
		status, message = http.StatusNotFound, "This user does not exist."
	case errors.As(err, &refusal):
		status, message = http.StatusConflict, refusal.Message
	case errors.As(err, &filled):
		status, message = http.StatusBadRequest, filled.message
	case errors.Is(err, ui.ErrForm):
		status, message = http.StatusForbidden, "The form was open for too long, or another site sent it. Nothing was changed. Go back, reload the page and try again."
	default:
		h.Logger.ErrorContext(r.Context(), "the console failed", "path", r.URL.Path, "error", err)
	}
	h.show(w, r, status, "problem", view{Page: "problem", Data: message})
}

type link struct{ Name, URL string }

type overview struct {
	Pool                           userpool.Config
	Issuer                         string
	Users, Groups, Messages, Calls int
	SignIn                         []link
}

// newest is the largest number of messages that a page shows.
const newest = 500

func (h *Handler) overview(r *http.Request) (any, error) {
	users, err := h.Pool.Users(r.Context())
	if err != nil {
		return nil, err
	}
	groups, err := h.Pool.Groups(r.Context())
	if err != nil {
		return nil, err
	}
	messages, err := h.Pool.Messages(r.Context(), newest)
	if err != nil {
		return nil, err
	}
	o := overview{
		Pool: h.Pool.Config(), Issuer: h.Pool.Issuer(),
		Users: len(users), Groups: len(groups), Messages: len(messages), SignIn: h.signInLinks(),
	}
	if h.Calls != nil {
		for _, n := range h.Calls.Counts() {
			o.Calls += n
		}
	}
	return o, nil
}

// signInLinks returns a link to managed login for each app client that can use it.
func (h *Handler) signInLinks() []link {
	var links []link
	for _, c := range h.Pool.Config().Clients {
		if len(c.CallbackURLs) == 0 {
			continue
		}
		name := c.Name
		if name == "" {
			name = c.ID
		}
		q := url.Values{"client_id": {c.ID}, "response_type": {"code"}, "redirect_uri": {c.CallbackURLs[0]}}
		links = append(links, link{name, h.Login + "/login?" + q.Encode()})
	}
	return links
}

type users struct {
	Users  []*userpool.User
	SignIn []link
}

func (h *Handler) users(r *http.Request) (any, error) {
	all, err := h.Pool.Users(r.Context())
	return users{all, h.signInLinks()}, err
}

type user struct {
	*userpool.User
	Messages []userpool.Message
}

func (h *Handler) user(r *http.Request) (any, error) {
	u, err := h.Pool.User(r.Context(), r.PathValue("sub"))
	if err != nil {
		return nil, err
	}
	messages, err := h.Pool.MessagesTo(r.Context(), u.Sub, 20)
	return user{u, messages}, err
}

type group struct {
	userpool.Group
	Members []*userpool.User
}

func (h *Handler) groups(r *http.Request) (any, error) {
	all, err := h.Pool.Groups(r.Context())
	if err != nil {
		return nil, err
	}
	groups := make([]group, len(all))
	for i, g := range all {
		members, err := h.Pool.UsersInGroup(r.Context(), g.Name)
		if err != nil {
			return nil, err
		}
		groups[i] = group{g, members}
	}
	return groups, nil
}

func (h *Handler) calls(*http.Request) (any, error) {
	if h.Calls == nil {
		return []calls.Call(nil), nil
	}
	return h.Calls.Recent(), nil
}

func (h *Handler) outputs(*http.Request) (any, error) {
	if h.Outputs == nil {
		return "", nil
	}
	return string(h.Outputs()), nil
}

type inbox struct {
	To       string
	Messages []userpool.Message
}

func (h *Handler) inbox(r *http.Request) (any, error) {
	to := strings.TrimSpace(r.URL.Query().Get("to"))
	all, err := h.Pool.Messages(r.Context(), newest)
	if err != nil {
		return nil, err
	}
	in := inbox{To: to}
	for _, m := range all {
		if to == "" || strings.EqualFold(m.To, to) {
			in.Messages = append(in.Messages, m)
		}
	}
	return in, nil
}

func (h *Handler) confirmUser(r *http.Request) (string, error) {
	u, err := h.Pool.User(r.Context(), r.PathValue("sub"))
	if err != nil {
		return "", err
	}
	return userPath(u) + "?done=confirmed", h.Pool.Confirm(r.Context(), u.Username)
}

func (h *Handler) deleteUser(r *http.Request) (string, error) {
	return "/console/users?done=deleted", h.Pool.DeleteUser(r.Context(), r.PathValue("sub"))
}

func (h *Handler) rotateKeys(r *http.Request) (string, error) {
	return "/console?done=rotated", h.Pool.RotateKeys(r.Context())
}

func userPath(u *userpool.User) string { return "/console/users/" + url.PathEscape(u.Sub) }
