package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The album of the example: what its owner, guests and others see of it.
func TestGalleryPhotos(t *testing.T) {
	gallery := startGallery(t)
	for name, test := range map[string]struct {
		email  string
		script bool
	}{
		"with script":    {"bob@example.com", true},
		"without script": {"alice@example.com", false}, // whose role is that of a group
	} {
		t.Run(name, func(t *testing.T) {
			b := browser.profile(t)
			if !test.script {
				b.withoutScript()
			}
			gallery.openAlbum(b, test.email)
			b.sees("The album is empty.")

			// Two photos and a file that is none.
			files := []string{
				writePhoto(t, "Sea & sky 100%+#.png"), writePhoto(t, "Harbour.png"),
				writeFile(t, "page.png", []byte("<!doctype html><script>alert(1)</script>")),
			}
			b.choose(files...)
			if test.script {
				gallery.slow(t, "PutObject", "2s")
				b.click("Upload")
				b.await("to see the progress of the upload", nil, `(() => {
					const bar = find('progress', e => e.value > 0);
					return bar && document.getElementById('doing').innerText.startsWith('Uploading ');
				})()`)
			} else {
				b.click("Upload")
			}
			b.sees("page.png")
			b.sees("This is no photo that can be shown here.")
			b.open(gallery.origin + "/photos")
			b.seesImages(2)
			first := b.imageURL()
			b.reload()
			b.seesImages(2)
			if again := b.imageURL(); again != first {
				t.Error("the image of a photo has another URL after a reload")
			}

			// The owner can see it with a signed URL. Nobody can without the signature.
			if status, data := fetch(t, http.MethodGet, first, "", nil); status != http.StatusOK || !isImage(data) {
				t.Errorf("the image of a photo: status %d", status)
			}
			unsigned, _, _ := strings.Cut(first, "?")
			if status, _ := fetch(t, http.MethodGet, unsigned, "", nil); status != http.StatusForbidden {
				t.Errorf("a private photo by its path: status %d", status)
			}

			b.click("Sea & sky 100%+#")
			b.sees("Only for you")
			b.seesImages(1)
			photo := b.arrives(gallery.origin + "/photos/").String()
			guest := browser.profile(t)
			guest.open(gallery.origin)
			guest.seesImages(1) // the splash
			gallery.checkHidden(guest, "Sea & sky")

			b.click("Publish")
			b.sees("On display")
			guest.reload()
			guest.sees("Sea & sky 100%+#")
			guest.seesImages(2)

			// Others have no such photo, whatever they know of it.
			other := browser.profile(t)
			gallery.openAlbum(other, "carol@example.com")
			other.open(photo)
			other.sees("There is no such photo.")
			other.open(photo + "/download")
			other.sees("There is no such photo.")

			b.click("Take it down")
			b.sees("Only for you")
			guest.reload()
			gallery.checkHidden(guest, "Sea & sky")

			b.click("Publish")
			b.sees("On display")
			b.click("Delete this photo")
			b.click("Delete for good")
			b.sees("Your photos.")
			b.seesImages(1)
			guest.reload()
			gallery.checkHidden(guest, "Sea & sky")

			// The page of the removal comes piece by piece.
			b.click("Empty the album")
			b.sees("Empty the album?")
			gallery.slow(t, "DeleteObjects", "2s")
			b.click("Remove all photos")
			b.await("to see the progress of the removal", nil,
				`document.readyState === 'loading' && document.body.innerText.includes('0 of 1 removed')`)
			b.sees("1 photo is removed")
			b.click("Back to your photos")
			b.sees("The album is empty.")
		})
	}

	// So large that the answer comes before all of it is sent.
	large := make([]byte, 40<<20)
	copy(large, "\x89PNG\r\n\x1a\n")
	tooLarge := writeFile(t, "Large.png", large)
	allowed := writeFile(t, "Late.png", large[:30<<20])

	t.Run("signed out meanwhile", func(t *testing.T) {
		for name, script := range map[string]bool{"with script": true, "without script": false} {
			t.Run(name, func(t *testing.T) {
				b := browser.profile(t)
				if !script {
					b.withoutScript()
				}
				gallery.openAlbum(b, "bob@example.com")
				beside := b.beside()
				beside.open(gallery.origin)
				beside.click("Sign out")
				beside.sees("Come in.")
				b.choose(allowed)
				b.click("Upload")
				if script {
					b.sees("Your session has ended.")
				} else {
					b.arrives(gallery.origin + "/sign-in")
				}
			})
		}
	})

	t.Run("too large", func(t *testing.T) {
		for name, script := range map[string]bool{"with script": true, "without script": false} {
			t.Run(name, func(t *testing.T) {
				b := browser.profile(t)
				if !script {
					b.withoutScript()
				}
				gallery.openAlbum(b, "bob@example.com")
				b.choose(tooLarge)
				b.click("Upload")
				b.sees("This photo is too large. A photo may have 32 MiB.")
				b.open(gallery.origin + "/photos")
				b.sees("The album is empty.")
			})
		}
	})
}

// openAlbum signs somebody in, or up, and opens the album.
func (g *gallery) openAlbum(b *tab, email string) {
	b.t.Helper()
	if email == "carol@example.com" {
		email = "carol" + strconv.Itoa(rand.Int()) + "@example.com"
		g.signUp(b, email, "Carol")
		b.open(g.origin + "/photos")
	} else {
		b.open(g.origin + "/photos")
		b.click("Sign in")
		b.managedLogin(email, g.seedPassword)
	}
	b.arrives(g.origin + "/photos")
}

// slow makes the next call of an operation of the backend slow.
func (g *gallery) slow(t testing.TB, operation, latency string) {
	t.Helper()
	fault := `{"operation": "` + operation + `", "latency": "` + latency + `", "count": 1}`
	address := strings.TrimSuffix(g.console, "/console") + "/admin/faults"
	response, err := http.Post(address, "application/json", strings.NewReader(fault))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		t.Fatalf("a fault is answered with %s", response.Status)
	}
}

// checkHidden checks that a page shows no photo whose name begins with title.
func (g *gallery) checkHidden(b *tab, title string) {
	b.t.Helper()
	b.sees("On display")
	if strings.Contains(b.text(), title) {
		b.t.Errorf("the page shows %s", title)
	}
}

// choose chooses files in the form of the page.
func (b *tab) choose(files ...string) {
	b.t.Helper()
	b.do("choosing files", chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), files))
}

// seesImages waits until the page shows n images, completely loaded.
func (b *tab) seesImages(n int) {
	b.t.Helper()
	b.await("to see the images", nil, `(() => {
		const images = [...document.querySelectorAll('main img')];
		images.forEach(e => e.scrollIntoView());
		return document.readyState === 'complete' && images.length === %s &&
			images.every(e => e.complete && e.naturalWidth > 0);
	})()`, n)
}

// imageURL returns the URL of the first image.
func (b *tab) imageURL() string {
	b.t.Helper()
	var address string
	b.script(&address, `document.querySelector('main img').src`)
	if _, err := url.Parse(address); err != nil {
		b.t.Fatal(err)
	}
	return address
}

func isImage(data []byte) bool {
	_, _, err := image.Decode(bytes.NewReader(data))
	return err == nil
}

// writePhoto writes an image into a file, and returns its path.
func writePhoto(t testing.TB, name string) string {
	t.Helper()
	i := image.NewRGBA(image.Rect(0, 0, 240, 180))
	from, to := rand.N(200), rand.N(200)
	for x := range 240 {
		for y := range 180 {
			i.Set(x, y, color.RGBA{uint8(from + x/6), uint8(to + y/6), uint8(255 - y), 255})
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, i); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, name, data.Bytes())
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
