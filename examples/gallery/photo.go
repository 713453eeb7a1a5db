package main

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/amplify-go/amplify/storage"
)

// photoPage is the page of one photo.
type photoPage struct {
	picture
	storage.Properties
	Displayed bool
}

// FileSize returns the size of the photo for people.
func (p photoPage) FileSize() string {
	if p.Size < 1<<20 {
		return fmt.Sprintf("%d KiB", (p.Size+1<<10-1)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(p.Size)/(1<<20))
}

// Address returns the address of the page of a photo.
func (p picture) Address() string { return "/photos/" + url.PathEscape(p.Name) }

// named returns the album of the request's user, and the name of the photo that the request is
// about.
func named(r *http.Request) (album, string, error) {
	name := r.PathValue("name")
	if strings.Contains(name, "/") { // an escaped one: what it names is a folder, or in one
		return album{}, "", errNoPhoto()
	}
	own, err := albumOf(r.Context())
	return own, name, err
}

// photo shows one photo.
func photo(r *http.Request) (any, error) {
	ctx := r.Context()
	own, name, err := named(r)
	if err != nil {
		return nil, err
	}
	properties, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: own.photo(name)})
	if err != nil {
		return nil, err
	}
	picture, err := pictureOf(ctx, own.photo(name), name)
	if err != nil {
		return nil, err
	}
	// S3 tells people who may not list the whole bucket that a missing object is forbidden: a list
	// tells whether there is a copy.
	copies, err := storage.List(ctx, storage.ListInput{Path: displayed(name), PageSize: 1})
	if err != nil {
		return nil, err
	}
	return photoPage{
		picture:    picture,
		Properties: *properties,
		Displayed:  len(copies.Items) > 0 && path.Base(copies.Items[0].Path) == name,
	}, nil
}

// download sends the browser to S3, with a URL that is good for a minute and makes it save the
// photo. So the data need not pass through this server, and browsers can resume it.
func (g *gallery) download(w http.ResponseWriter, r *http.Request) {
	own, name, err := named(r)
	if err != nil {
		g.fail(w, r, err)
		return
	}
	out, err := storage.GetURL(r.Context(), storage.GetURLInput{
		Path:                    own.photo(name),
		ValidateObjectExistence: true, // to have an error that pages can show
		ExpiresIn:               time.Minute,
		ContentDisposition: mime.FormatMediaType("attachment",
			map[string]string{"filename": name}),
	})
	if err != nil {
		g.fail(w, r, err)
		return
	}
	http.Redirect(w, r, out.URL, http.StatusSeeOther)
}

// publish puts a copy of a photo on display.
func publish(r *http.Request) (to string, err error) {
	own, name, err := named(r)
	if err != nil {
		return "", err
	}
	_, err = storage.Copy(r.Context(), storage.CopyInput{
		Source:      storage.CopySource{Path: own.photo(name)},
		Destination: storage.CopyDestination{Path: displayed(name)},
	})
	return picture{Name: name}.Address(), err
}

// unpublish removes the copy that is on display.
func unpublish(r *http.Request) (to string, err error) {
	_, name, err := named(r)
	if err != nil {
		return "", err
	}
	_, err = storage.Remove(r.Context(), storage.RemoveInput{Path: displayed(name)})
	return picture{Name: name}.Address(), err
}

// deletePhoto removes a photo. Its copy goes first, so that nothing stays on display that its owner
// cannot see in the album.
func deletePhoto(r *http.Request) (to string, err error) {
	own, name, err := named(r)
	if err != nil {
		return "", err
	}
	for _, path := range []storage.ObjectPath{displayed(name), own.photo(name)} {
		if _, err := storage.Remove(r.Context(), storage.RemoveInput{Path: path}); err != nil {
			return "", err
		}
	}
	return "/photos", nil
}

// action returns a handler for a form that changes something. Afterwards the browser goes to the
// address that do returns.
func (g *gallery) action(do func(*http.Request) (to string, err error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := do(r)
		if err != nil {
			g.fail(w, r, err)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
}

// errNoPhoto returns the error for a photo that is not in the visitor's album.
func errNoPhoto() *problem {
	return &problem{
		Status: http.StatusNotFound,
		Title:  "There is no such photo.",
		Advice: "It is not in your album. Albums of others are closed to you.",
		Link:   "/photos", LinkText: "Back to your photos",
	}
}
