package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

// Bounds of uploads. Their memory is bounded by the library (storage.Options.UploadMemory), however
// many there are: photos go on to S3 as they come.
const (
	maxPhoto   = 32 << 20  // bytes of a photo
	maxUpload  = 512 << 20 // bytes of a form with several of them
	maxFiles   = 200       // of a form
	uploadTime = 15 * time.Minute
	standstill = 30 * time.Second
)

// photosPerPage is how many photos a page of the album shows.
const photosPerPage = 24

// albumPage is a page of the visitor's album.
type albumPage struct {
	Photos   []picture
	First    bool   // this is the first page
	Next     string // the address of the next page, or ""
	MaxBytes int64
	Failed   []failure // what became of an upload
	Stored   int       // likewise
}

// failure is a file that did not get into the album.
type failure struct {
	Name   string `json:"-"`
	Advice string `json:"advice"`
	status int
}

// photos shows the visitor's album.
func photos(r *http.Request) (any, error) { return openAlbum(r) }

func openAlbum(r *http.Request) (*albumPage, error) {
	ctx := r.Context()
	own, err := albumOf(ctx)
	if err != nil {
		return nil, err
	}
	token := r.URL.Query().Get("after")
	list, err := storage.List(ctx, storage.ListInput{
		Path: own.photo(""), ExcludeSubpaths: true, PageSize: photosPerPage, NextToken: token,
	})
	if err != nil {
		if e, ok := errors.AsType[*amplify.Error](err); ok && e.Name == "InvalidArgument" {
			return nil, errNoPhoto() // the token is not one of S3's
		}
		return nil, err
	}
	page := &albumPage{First: token == "", MaxBytes: maxPhoto}
	for _, item := range list.Items {
		photo, err := pictureOf(ctx, item.ObjectPath(), path.Base(item.Path))
		if err != nil {
			return nil, err
		}
		page.Photos = append(page.Photos, photo)
	}
	if list.NextToken != "" {
		page.Next = "/photos?" + url.Values{"after": {list.NextToken}}.Encode()
	}
	return page, nil
}

// readToEnd reads what next leaves of a form, within bounds. Browsers that cannot send a form to
// its end show that the connection broke, and not the answer.
func readToEnd(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := &inTime{r.Body, http.NewResponseController(w), time.Now().Add(uploadTime)}
		r.Body = form
		next.ServeHTTP(w, r)
		_, _ = io.CopyN(io.Discard, form, 2*maxUpload)
	})
}

// inTime is the body of a request whose client must not stand still: it would hold memory that other
// uploads wait for.
type inTime struct {
	io.ReadCloser
	connection *http.ResponseController
	end        time.Time
}

func (b *inTime) Read(p []byte) (int, error) {
	deadline := time.Now().Add(standstill)
	if deadline.After(b.end) {
		deadline = b.end
	}
	_ = b.connection.SetReadDeadline(deadline)
	n, err := b.ReadCloser.Read(p)
	if err != nil { // what is sent on to S3 may take longer
		_ = b.connection.SetReadDeadline(time.Time{})
	}
	return n, err
}

// upload takes photos into the album. Browsers send the form as it is, or static/photos.js sends
// each photo by itself and is answered with JSON.
func (g *gallery) upload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	stored, failed, err := store(r)
	switch {
	case r.Context().Err() != nil: // the visitor has left
		return
	case err != nil:
		g.fail(w, r, err)
	case strings.Contains(r.Header.Get("Accept"), "application/json"):
		if len(failed) > 0 {
			writeJSON(w, failed[0].status, failed[0])
			return
		}
		writeJSON(w, http.StatusCreated, map[string]int{"stored": stored})
	case len(failed) > 0:
		page, err := openAlbum(r)
		if err == nil {
			page.Failed, page.Stored = failed, stored
			err = g.render(w, r, failed[0].status, "photos", page)
		}
		if err != nil {
			g.fail(w, r, err)
		}
	default:
		http.Redirect(w, r, "/photos", http.StatusSeeOther)
	}
}

// store puts the files of a form into the album, one after the other. One that fails does not keep
// the others out.
func store(r *http.Request) (stored int, failed []failure, err error) {
	own, err := albumOf(r.Context())
	if err != nil {
		return 0, nil, err
	}
	form, err := r.MultipartReader()
	if err != nil {
		return 0, nil, errNoForm(err)
	}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return stored, failed, errNoForm(err)
		}
		if part.FileName() == "" { // a field without a file
			continue
		}
		if stored+len(failed) == maxFiles {
			return stored, failed, errTooMany
		}
		err = storePhoto(r.Context(), own, part.FileName(), part)
		if err == nil {
			stored++
			continue
		}
		p := problemOf(err, "/photos")
		if p.Status >= http.StatusInternalServerError {
			return stored, failed, err
		}
		failed = append(failed, failure{part.FileName(), p.Title + " " + p.Advice, p.Status})
	}
	if stored == 0 && len(failed) == 0 {
		failed = []failure{{
			Advice: "No photo was chosen. Choose one first.",
			status: http.StatusUnprocessableEntity,
		}}
	}
	return stored, failed, nil
}

// storePhoto puts one file into the album. The first bytes of the file tell its type: what the
// browser says about it counts for nothing.
func storePhoto(ctx context.Context, to album, file string, body io.Reader) error {
	head := make([]byte, 512) // what http.DetectContentType looks at
	n, err := io.ReadFull(body, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return errNoForm(err)
	}
	head = head[:n]
	contentType := http.DetectContentType(head)
	if photoTypes[contentType] == nil {
		return &problem{
			Status: http.StatusUnsupportedMediaType,
			Title:  "This is no photo that can be shown here.",
			Advice: "The album takes JPEG, PNG, GIF and WebP.",
		}
	}
	rest := &bounded{body, maxPhoto - int64(n)}
	_, err = storage.UploadData(ctx, storage.UploadDataInput{
		Path:             to.photo(photoName(file, contentType)),
		Body:             io.MultiReader(bytes.NewReader(head), rest),
		ContentType:      contentType,
		PreventOverwrite: true,
	})
	if e, ok := errors.AsType[*amplify.Error](err); ok && e.Name == "PreconditionFailed" {
		return &problem{
			Status: http.StatusConflict,
			Title:  "There is a photo of that name already.",
			Advice: "Delete that one first, or give this one another name.",
		}
	}
	return err
}

// bounded reads a file of a form. It has an error instead of more than left bytes.
type bounded struct {
	io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	if err != nil && err != io.EOF {
		err = errNoForm(err)
	}
	return n, err
}

var errTooLarge = &problem{
	Status: http.StatusRequestEntityTooLarge,
	Title:  "This photo is too large.",
	Advice: "A photo may have 32 MiB.",
}

// errNoForm returns the error for a request whose form cannot be read to its end.
func errNoForm(cause error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](cause); ok {
		return errTooMany
	}
	return &problem{
		Status: http.StatusBadRequest,
		Title:  "The upload did not arrive.",
		Advice: "The connection broke, or what came is not the form of this page. Try again.",
		Link:   "/photos", LinkText: "Back to your photos",
	}
}

var errTooMany = &problem{
	Status: http.StatusRequestEntityTooLarge,
	Title:  "These are too many photos at a time.",
	Advice: "The album takes 200 photos and 512 MiB at a time. Those that came first may be in it.",
	Link:   "/photos", LinkText: "Back to your photos",
}
