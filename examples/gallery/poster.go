package main

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/amplify-go/amplify/static"
	"github.com/amplify-go/amplify/storage"
)

// newPoster returns a page that is the same for everyone. It is rendered once, with the rights of a
// guest, and kept. The address of its picture expires, and the page with it: before that it is
// rendered again, while visitors get the one that is there. So it stays up while S3 is down.
func (g *gallery) newPoster() (*static.Page, error) {
	return g.kept.Page(static.PageOptions{Name: "poster", Render: g.renderPoster, Failed: g.fail})
}

func (g *gallery) renderPoster(ctx context.Context, _ static.Request) (*static.Content, error) {
	splash, err := storage.GetURL(ctx, storage.GetURLInput{
		Path:      storage.Path(public + "/Sunflowers.jpg"),
		ExpiresIn: time.Hour,
	})
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	g.setHeader(header, "poster")
	var page bytes.Buffer
	err = g.pages["poster"].Execute(&page, view{
		Path: "/poster", Backend: g.backend, By: g.by, Sources: sourcesOf("poster"),
		Content: struct {
			Image         string
			Made, Expires string
		}{splash.URL, time.Now().Format(time.TimeOnly), splash.ExpiresAt.Format(time.TimeOnly)},
	})
	// Browsers that got the page at the last moment still need time to fetch the picture.
	expires := splash.ExpiresAt.Add(-time.Minute)
	return &static.Content{Body: page.Bytes(), Header: header, Expires: expires}, err
}
