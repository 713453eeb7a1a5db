package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/storage"
)

// newHandler returns the server's handler.
func newHandler(runner *amplifyhttp.ServerRunner) (http.Handler, error) {
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello\n")
	})
	mux.Handle("GET /me", runner.Middleware(answer(me)))
	mux.Handle("GET /session", runner.Middleware(answer(session)))
	mux.Handle("GET /attributes", runner.Middleware(answer(auth.FetchUserAttributes)))
	mux.Handle("GET /file", runner.Middleware(answer(file)))
	mux.Handle("GET /list",
		runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			prefix := r.URL.Query().Get("prefix")
			answer(func(ctx context.Context) (*listAnswer, error) {
				return list(ctx, prefix)
			}).ServeHTTP(w, r)
		})))
	mux.Handle("GET /notes", runner.Middleware(answer(notes(runner.App()))))
	mux.Handle("GET /protected/me", signedIn(runner.Middleware(answer(me))))
	return mux, nil
}

type meAnswer struct {
	Username string `json:"username"`
	UserID   string `json:"userId"`
}

func me(ctx context.Context) (*meAnswer, error) {
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		return nil, err
	}
	return &meAnswer{user.Username, user.UserID}, nil
}

type sessionAnswer struct {
	Sub            string `json:"sub"`
	IdentityID     string `json:"identityId"`
	HasCredentials bool   `json:"hasCredentials"`
}

func session(ctx context.Context) (*sessionAnswer, error) {
	s, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
	if err != nil {
		return nil, err
	}
	return &sessionAnswer{s.UserSub, s.IdentityID, s.Credentials != nil}, nil
}

type fileAnswer struct {
	URL string `json:"url"`
}

func file(ctx context.Context) (*fileAnswer, error) {
	out, err := storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path("public/a.txt")})
	if err != nil {
		return nil, err
	}
	return &fileAnswer{out.URL}, nil
}

type listAnswer struct {
	Items     []listItem `json:"items"`
	NextToken string     `json:"nextToken,omitempty"`
}

type listItem struct {
	Path         string    `json:"path"`
	Size         int64     `json:"size"`
	ETag         string    `json:"eTag"`
	LastModified time.Time `json:"lastModified"`
}

func list(ctx context.Context, prefix string) (*listAnswer, error) {
	page, err := storage.List(ctx, storage.ListInput{Path: storage.Path(prefix)})
	if err != nil {
		return nil, err
	}
	answer := &listAnswer{Items: []listItem{}, NextToken: page.NextToken}
	for _, item := range page.Items {
		answer.Items = append(answer.Items,
			listItem{item.Path, item.Size, item.ETag, item.LastModified})
	}
	return answer, nil
}

// notes returns what lists the first notes that the caller may read. A backend without such a model
// is an error of each call.
func notes(app *amplify.App) func(context.Context) (*data.Page[map[string]any], error) {
	model, err := data.DynamicModelOf(app, "Note")
	model = model.With(data.Options{AuthMode: data.AuthUserPool})
	return func(ctx context.Context) (*data.Page[map[string]any], error) {
		if err != nil {
			return nil, err
		}
		return model.List(ctx, data.ListInput{Limit: 20})
	}
}

type failure struct {
	Error  string         `json:"error"`
	Reason amplify.Reason `json:"reason,omitempty"`
}

// answer answers requests with what f returns, as JSON.
func answer[T any](f func(context.Context) (T, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r.Context())
		if err == nil {
			writeJSON(w, http.StatusOK, v)
			return
		}
		status := http.StatusServiceUnavailable
		if errors.Is(err, amplify.ErrUnauthenticated) {
			status = http.StatusUnauthorized
		}
		answer := failure{Error: "Error", Reason: amplify.ReasonOf(err)}
		var e *amplify.Error
		if errors.As(err, &e) {
			answer.Error = e.Name
		}
		writeJSON(w, status, answer)
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
