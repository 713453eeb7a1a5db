package porting

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/amplify-go/amplify/static"
	"github.com/amplify-go/amplify/storage"
)

func newStaticProps(pages *static.Pages) (*static.Page, error) {
	return pages.Page(static.PageOptions{
		Name: "splash-props",
		Render: func(ctx context.Context, _ static.Request) (*static.Content, error) {
			splash, err := storage.GetURL(ctx, storage.GetURLInput{
				Path: storage.Path("public/splash.png"),
			})
			if err != nil {
				return nil, err
			}
			body, err := json.Marshal(map[string]string{"imageUrl": splash.URL})
			return &static.Content{
				Body:    body,
				Header:  http.Header{"Content-Type": {"application/json"}},
				Expires: splash.ExpiresAt, // rendered again before that
			}, err
		},
	})
}
