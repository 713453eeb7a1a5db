package main

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/storage"
)

// file is a file that a browser uploads.
type file struct {
	name, contentType string
	data              []byte
}

// aPhoto returns the data of an image.
func aPhoto(t *testing.T, contentType string) []byte {
	t.Helper()
	var data bytes.Buffer
	pixel := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black})
	err := map[string]func() error{
		"image/jpeg": func() error { return jpeg.Encode(&data, pixel, nil) },
		"image/png":  func() error { return png.Encode(&data, pixel) },
		"image/gif":  func() error { return gif.Encode(&data, pixel, nil) },
	}[contentType]()
	if err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// upload sends files with the form of the album.
func (b *browser) upload(origin string, files ...file) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range files {
		header := map[string][]string{
			"Content-Disposition": {multipart.FileContentDisposition("photo", f.name)},
			"Content-Type":        {f.contentType},
		}
		part, err := form.CreatePart(header)
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := part.Write(f.data); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.post(origin+"/photos", form.FormDataContentType(), &body)
}

// post sends a form as browsers do.
func (b *browser) post(address, contentType string, body io.Reader) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Content-Type", contentType)
	b.show(b.client.Do(request))
}

// press sends the form of the page whose address ends with action.
func (b *browser) press(action string) {
	b.t.Helper()
	for _, m := range formAction.FindAllStringSubmatch(b.page, -1) {
		if strings.HasSuffix(m[1], action) {
			b.post(b.resolve(html.UnescapeString(m[1])), "application/x-www-form-urlencoded", nil)
			return
		}
	}
	b.t.Fatalf("no form for %s at %s (status %d):\n%s", action, b.at, b.status, b.page)
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]*)"`)
	imageTag   = regexp.MustCompile(`<img[^>]*src="([^"]*)"`)
)

// images returns the URLs of the images that the page shows.
func (b *browser) images() []string {
	var urls []string
	for _, m := range imageTag.FindAllStringSubmatch(b.page, -1) {
		urls = append(urls, html.UnescapeString(m[1]))
	}
	return urls
}

// get makes a request without a session.
func get(t *testing.T, address string) (*http.Response, []byte) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// The life of a photo, for members of a group and for others, whose roles differ.
func TestPhoto(t *testing.T) {
	gallery, origin := serveGallery(t)
	for _, email := range []string{"alice@example.com", "bob@example.com"} {
		t.Run(email, func(t *testing.T) {
			b := gallery.browserOf(t, origin, email)
			guest := newBrowser(t)
			b.open(origin + "/photos")
			b.wantText("The album is empty.")

			data := aPhoto(t, "image/png")
			b.upload(origin, file{"Café 100%+#.PNG", "text/html", data})
			b.wantAt("/photos")
			b.wantText("Café 100%")
			images := b.images()
			b.open(origin + "/photos")
			if !slices.Equal(b.images(), images) || len(images) != 1 {
				t.Fatalf("images %q, and then %q", images, b.images())
			}
			if u, err := url.Parse(images[0]); err != nil || u.Scheme+"://"+u.Host != gallery.backend.Storage {
				t.Errorf("the image is elsewhere than the policy of the page allows: %s", u)
			}
			// The type is that of the data, whatever the browser says.
			response, body := get(t, images[0])
			if response.Header.Get("Content-Type") != "image/png" || !bytes.Equal(body, data) {
				t.Errorf("%s, type %s", response.Status, response.Header.Get("Content-Type"))
			}

			b.open(b.resolve("/photos/Caf%C3%A9%20100%25+%23.PNG"))
			b.wantText("Only for you", "image/png", "1 KiB")
			b.press("/publish")
			b.wantText("On display")
			guest.open(origin)
			guest.wantText("Café 100%")
			for _, address := range guest.images() {
				if response, _ := get(t, address); response.StatusCode != http.StatusOK {
					t.Errorf("a guest gets %s", response.Status)
				}
			}
			b.press("/unpublish")
			b.wantText("Only for you")
			guest.open(origin)
			if strings.Contains(guest.page, "Café") {
				t.Error("the photo is still on display")
			}

			b.follow("Download")
			if b.at.Host == b.resolve(origin) || b.page != string(data) {
				t.Errorf("the download comes from %s, status %d", b.at.Host, b.status)
			}
			response, _ = get(t, b.at.String())
			if h := response.Header.Get("Content-Disposition"); !strings.HasPrefix(h, "attachment;") {
				t.Errorf("Content-Disposition %q", h)
			}

			b.open(origin + "/photos/Caf%C3%A9%20100%25+%23.PNG")
			b.press("/publish")
			b.press("/delete")
			b.wantAt("/photos")
			b.wantText("The album is empty.")
			guest.open(origin)
			if strings.Contains(guest.page, "Café") {
				t.Error("a photo that was deleted is still on display")
			}
		})
	}
}

func TestUpload(t *testing.T) {
	gallery, origin := serveGallery(t)
	photo := aPhoto(t, "image/jpeg")
	for name, test := range map[string]struct {
		files  []file
		status int
		says   string
		stored []string // as the album shows them
	}{
		"several": {
			files:  []file{{"a.jpg", "image/jpeg", photo}, {"b.gif", "image/gif", aPhoto(t, "image/gif")}},
			status: 200, stored: []string{"a.jpg", "b.gif"},
		},
		"page in disguise": {
			files:  []file{{"a.png", "image/png", []byte("<!doctype html><script>alert(1)</script>")}},
			status: 415, says: "The album takes JPEG, PNG, GIF and WebP.",
		},
		"SVG": {
			files:  []file{{"a.svg", "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`)}},
			status: 415, says: "This is no photo that can be shown here.",
		},
		"empty file": {
			files:  []file{{"a.jpg", "image/jpeg", nil}},
			status: 415, says: "This is no photo that can be shown here.",
		},
		"photo that is called a page": {
			files:  []file{{"a.html", "text/html", photo}},
			status: 200, stored: []string{"a.html.jpg"},
		},
		"good ones beside bad ones": {
			files:  []file{{"a.jpg", "image/jpeg", photo}, {"b.txt", "text/plain", []byte("b")}, {"c.jpg", "image/jpeg", photo}},
			status: 415, says: "2 photos are in your album.", stored: []string{"a.jpg", "c.jpg"},
		},
		"twice the same name": {
			files:  []file{{"a.jpg", "image/jpeg", photo}, {"a.jpg", "image/jpeg", aPhoto(t, "image/jpeg")}},
			status: 409, says: "There is a photo of that name already.", stored: []string{"a.jpg"},
		},
		"too large": {
			files:  []file{{"a.jpg", "image/jpeg", append(slices.Clone(photo), make([]byte, maxPhoto)...)}},
			status: 413, says: "This photo is too large.",
		},
		"WebP": {
			files:  []file{{"a.webp", "", []byte("RIFF\x04\x00\x00\x00WEBPVP8 ")}},
			status: 200, stored: []string{"a.webp"},
		},
		"too many": {
			files:  slices.Repeat([]file{{"a.txt", "text/plain", nil}}, maxFiles+1),
			status: 413, says: "These are too many photos at a time.",
		},
		"nothing chosen": {
			files:  []file{{"", "application/octet-stream", nil}},
			status: 422, says: "No photo was chosen.",
		},
		"hostile name": {
			files:  []file{{`..\..\x<script>.jpg`, "image/jpeg", photo}},
			status: 200, stored: []string{`..-..-x<script>.jpg`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := gallery.browserOf(t, origin, "bob@example.com")
			b.upload(origin, test.files...)
			if b.status != test.status {
				t.Errorf("status %d, want %d", b.status, test.status)
			}
			b.wantText(test.says)
			b.open(origin + "/photos")
			var stored []string
			for _, address := range b.images() {
				u, err := url.Parse(address)
				if err != nil {
					t.Fatal(err)
				}
				stored = append(stored, u.Path[strings.LastIndex(u.Path, "/")+1:])
			}
			if !slices.Equal(stored, test.stored) {
				t.Errorf("the album has %q, want %q", stored, test.stored)
			}
			b.open(origin + "/photos/empty")
			if len(stored) > 0 {
				b.press("/photos/empty")
			}
		})
	}

	t.Run("no form", func(t *testing.T) {
		b := gallery.browserOf(t, origin, "bob@example.com")
		for _, test := range []struct{ contentType, body string }{
			{"application/x-www-form-urlencoded", "photo=a"},
			{"multipart/form-data; boundary=x", "--x\r\nContent-Dis"},
			{"multipart/form-data; boundary=x", // cut off in the photo
				"--x\r\nContent-Disposition: form-data; name=photo; filename=cut.jpg\r\n\r\n" + string(photo)},
		} {
			b.post(origin+"/photos", test.contentType, strings.NewReader(test.body))
			if b.status != 400 {
				t.Errorf("%q: status %d", test.body, b.status)
			}
			b.wantText("The upload did not arrive.")
		}
		b.open(origin + "/photos")
		b.wantText("The album is empty.")
	})

	t.Run("by script", func(t *testing.T) {
		b := gallery.browserOf(t, origin, "bob@example.com")
		stranger := newBrowser(t)
		for _, test := range []struct {
			b      *browser
			data   string
			status int
			answer string
		}{
			{b, string(photo), 201, `{"stored":1}`},
			{b, "text", 415, `{"advice":"This is no photo that can be shown here. The album takes JPEG, PNG, GIF and WebP."}`},
			{stranger, string(photo), 401, `{"error":"UserUnAuthenticatedException","reason":"no_session"}`},
		} {
			body := "--x\r\nContent-Disposition: form-data; name=photo; filename=script.jpg\r\n\r\n" + test.data + "\r\n--x--\r\n"
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, origin+"/photos", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Accept", "application/json")
			request.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			test.b.show(test.b.client.Do(request))
			if test.b.status != test.status || strings.TrimSpace(test.b.page) != test.answer {
				t.Errorf("%d %s, want %d %s", test.b.status, test.b.page, test.status, test.answer)
			}
		}
	})
}

// An album of more than a page is shown page by page.
func TestLargeAlbum(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	var files []file
	for i := range photosPerPage + 2 {
		files = append(files, file{fmt.Sprintf("%03d.gif", i), "image/gif", aPhoto(t, "image/gif")})
	}
	b.upload(origin, files...)
	if n := len(b.images()); n != photosPerPage {
		t.Errorf("the first page shows %d photos", n)
	}
	b.follow("More photos")
	if n := len(b.images()); n != 2 {
		t.Errorf("the second page shows %d photos", n)
	}
	b.wantText(fmt.Sprintf("%03d", photosPerPage), "Back to the beginning")
	b.follow("Empty the album")
	b.wantText(fmt.Sprintf("All %d photos", photosPerPage+2))
	b.press("/photos/empty")
	b.wantText(fmt.Sprintf("%d photos are removed", photosPerPage+2))
}

func TestPhotoName(t *testing.T) {
	for name, test := range map[string]struct{ file, contentType, want string }{
		"as it is":           {"Sea & sky.jpeg", "image/jpeg", "Sea & sky.jpeg"},
		"capital extension":  {"IMG_1.JPG", "image/jpeg", "IMG_1.JPG"},
		"other extension":    {"a.html", "image/png", "a.html.png"},
		"none":               {"a", "image/webp", "a.webp"},
		"extension only":     {".png", "image/png", "photo.png"},
		"dots":               {"..", "image/png", "...png"},
		"control characters": {"a\x00\r\nb.gif", "image/gif", "a---b.gif"},
		"not UTF-8":          {"a\xffb.gif", "image/gif", "a-b.gif"},
		"long":               {strings.Repeat("é", 300) + ".png", "image/png", strings.Repeat("é", 100) + ".png"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := photoName(test.file, test.contentType); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// S3 enforces who may do what, whatever this application asks for.
func TestPhotosArePrivate(t *testing.T) {
	gallery, origin := serveGallery(t)
	as := func(t *testing.T, email string, do func(context.Context)) {
		t.Helper()
		b := newBrowser(t)
		if email != "" {
			b = gallery.browserOf(t, origin, email)
		}
		gallery.as(t, b, origin, do)
	}

	// Each user has a photo, which is on display.
	identities := map[string]string{}
	for _, email := range []string{"alice@example.com", "bob@example.com"} {
		b := gallery.browserOf(t, origin, email)
		b.upload(origin, file{"own.png", "image/png", aPhoto(t, "image/png")})
		b.open(origin + "/photos/own.png")
		b.press("/publish")
		as(t, email, func(ctx context.Context) {
			session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
			if err != nil {
				t.Fatal(err)
			}
			identities[email] = session.IdentityID
		})
	}
	alice, bob := identities["alice@example.com"], identities["bob@example.com"]

	for name, test := range map[string]struct {
		email, path string
		may         string // get, put, delete
	}{
		"owner, private":         {"bob@example.com", "private/" + bob + "/photos/own.png", "get put delete"},
		"owner, on display":      {"bob@example.com", "public/" + bob + "/photos/own.png", "get put delete"},
		"other user, private":    {"bob@example.com", "curators/" + alice + "/photos/own.png", ""},
		"other user, on display": {"bob@example.com", "public/" + alice + "/photos/own.png", "get"},
		"curator, private":       {"alice@example.com", "private/" + bob + "/photos/own.png", ""},
		"curator, on display":    {"alice@example.com", "public/" + bob + "/photos/own.png", "get put delete"},
		"guest, private":         {"", "private/" + bob + "/photos/own.png", ""},
		"guest, curator's":       {"", "curators/" + alice + "/photos/own.png", ""},
		"guest, on display":      {"", "public/" + bob + "/photos/own.png", "get"},
		"user, the splash":       {"bob@example.com", "public/Sunflowers.jpg", "get"},
	} {
		t.Run(name, func(t *testing.T) {
			as(t, test.email, func(ctx context.Context) {
				path := storage.Path(test.path)
				for action, do := range map[string]func() error{
					"get": func() error {
						out, err := storage.DownloadData(ctx, storage.DownloadDataInput{Path: path})
						if err == nil {
							out.Body.Close()
						}
						return err
					},
					"put": func() error {
						_, err := storage.UploadData(ctx, storage.UploadDataInput{
							Path: path, Body: bytes.NewReader(aPhoto(t, "image/png")),
						})
						return err
					},
					"delete": func() error { // of nothing, for which the same rules hold
						_, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path(test.path + "x")})
						return err
					},
				} {
					err := do()
					switch may := strings.Contains(test.may, action); {
					case may && err != nil:
						t.Errorf("%s: %v", action, err)
					case !may && amplify.ReasonOf(err) != amplify.ReasonNoAccessRule:
						t.Errorf("%s: %v, want a refusal", action, err)
					}
				}
			})
		})
	}

	// The pages know no photos but the visitor's.
	b := gallery.browserOf(t, origin, "alice@example.com")
	for _, path := range []string{
		"/photos/other.png", "/photos/..%2F" + bob + "%2Fown.png", "/photos/%2e%2e", "/photos/a%00b",
		"/photos/own.png%2F", "/photos/other.png/download", "/photos?after=!",
	} {
		b.open(origin + path)
		if b.status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, b.status)
		}
	}
	for _, path := range []string{
		"/photos/..%2F..%2F" + bob + "%2Fphotos%2Fown.png/publish", "/photos/%2e%2e/delete",
		"/photos/folder%2F/delete", "/photos/other.png/publish",
	} {
		b.post(origin+path, "application/x-www-form-urlencoded", nil)
		if b.status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, b.status)
		}
	}
}

// discard is a response that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// Forms of other sites change nothing, though the browser sends the cookies with them.
func TestFormsOfOtherSites(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	b.upload(origin, file{"own.png", "image/png", aPhoto(t, "image/png")})
	for _, path := range []string{
		"/photos", "/photos/own.png/publish", "/photos/own.png/unpublish", "/photos/own.png/delete", "/photos/empty",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, origin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Sec-Fetch-Site", "same-site")
		b.show(b.client.Do(request))
		if b.status != http.StatusForbidden {
			t.Errorf("%s: status %d", path, b.status)
		}
	}
	b.open(origin + "/photos/own.png")
	b.wantText("Only for you")
}

// Each page allows what it needs, and no more.
func TestPolicies(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	b.upload(origin, file{"own.png", "image/png", aPhoto(t, "image/png")})
	s3 := gallery.backend.Storage
	policy := func(images, forms string) string {
		return "default-src 'none'; style-src 'self'; img-src 'self'" + images +
			"; base-uri 'none'; form-action '" + forms + "'; frame-ancestors 'none'"
	}
	for path, want := range map[string]string{
		"/":               policy(" "+s3, "none"),
		"/home":           policy("", "none"),
		"/photos":         policy(" "+s3, "self") + "; script-src 'self'; connect-src 'self'",
		"/photos/own.png": policy(" "+s3, "self"),
		"/photos/empty":   policy("", "self"),
	} {
		response, err := b.client.Get(origin + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// Where S3 fails, the entrance stays open, and the album says what to do.
func TestStorageFails(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	b.upload(origin, file{"own.png", "image/png", aPhoto(t, "image/png")})
	b.open(origin + "/photos/empty")
	add := gallery.backend.sandbox.Faults().Add
	if _, err := add(faults.Fault{Operation: "DeleteObjects", Outcome: faults.JSON500}); err != nil {
		t.Fatal(err)
	}
	b.press("/photos/empty")
	b.wantText("0 of 1 removed", "The backend does not answer.")

	if _, err := add(faults.Fault{Operation: "ListObjectsV2", Outcome: faults.JSON500}); err != nil {
		t.Fatal(err)
	}
	b.open(origin)
	b.wantText("Hello, Bob.", "The rooms")
	b.open(origin + "/photos")
	if b.status != http.StatusServiceUnavailable {
		t.Errorf("status %d", b.status)
	}
	b.wantText("The backend does not answer.", `href="/photos"`)
}
