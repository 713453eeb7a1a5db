package porting

import (
	"bytes"
	"context"
	"html/template"
	"time"

	"github.com/amplify-go/amplify/static"
	"github.com/amplify-go/amplify/storage"
)

var splashPage = template.Must(template.New("splash").Parse(
	`<img src="{{.}}" alt="Splash Image" width="500" height="500">`))

// newStaticPage makes a handler: mux.Handle("GET /splash", page). pages is static.New(runner,
// static.Options{}).
func newStaticPage(pages *static.Pages) (*static.Page, error) {
	return pages.Page(static.PageOptions{
		Name:       "splash",
		Revalidate: time.Hour,
		Render: func(ctx context.Context, _ static.Request) (*static.Content, error) {
			splash, err := storage.GetURL(ctx, storage.GetURLInput{
				Path:      storage.Key("splash.png", storage.KeyOptions{}),
				ExpiresIn: time.Hour, // as long as the credentials of a guest last
			})
			if err != nil {
				return nil, err // the last page goes on being served
			}
			var body bytes.Buffer
			err = splashPage.Execute(&body, splash.URL)
			return &static.Content{Body: body.Bytes(), Expires: splash.ExpiresAt}, err
		},
	})
}
