package storage_test

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/storage"
)

// outputs is what //go:embed amplify_outputs.json gives.
var outputs = []byte(`{"version":"1.4",
	"auth":{"user_pool_id":"eu-west-1_Example01","user_pool_client_id":"1example23456789","aws_region":"eu-west-1",
		"identity_pool_id":"eu-west-1:11111111-2222-3333-4444-555555555555","unauthenticated_identities_enabled":true},
	"storage":{"aws_region":"eu-west-1","bucket_name":"example-drive"}}`)

func newRunner() *amplifyhttp.ServerRunner {
	cfg, err := amplify.ParseConfig(outputs)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return runner
}

// A link that downloads a file of the user's own: "Generate a download url" of the Amplify
// documentation.
func ExampleGetURL() {
	runner := newRunner()
	http.Handle("/report", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		linkToStorageFile, err := storage.GetURL(r.Context(), storage.GetURLInput{
			Path: storage.PathFunc(func(identityID string) string { return "private/" + identityID + "/report.pdf" }),
			// S3 would say nothing of a file that is missing before the link is followed.
			ValidateObjectExistence: true,
			ExpiresIn:               20 * time.Minute,
			ContentDisposition:      mime.FormatMediaType("attachment", map[string]string{"filename": "report.pdf"}),
		})
		if err != nil {
			log.Print(err)
			http.Error(w, "no report", http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, "good until %v: %s", linkToStorageFile.ExpiresAt, linkToStorageFile.URL)
	})))
}

var gallery = template.Must(template.New("").Parse(`{{range .}}<img src="{{.}}" alt="">{{end}}`))

// A page with all pictures of a folder, whose addresses browsers can cache.
func ExampleListAll() {
	runner := newRunner()
	http.Handle("/pictures", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var urls []string
		for item, err := range storage.ListAll(r.Context(), storage.ListInput{Path: storage.Path("photos/")}) {
			if err != nil {
				log.Print(err) // of a refusal it says which rule of the outputs comes near
				http.Error(w, "no pictures", http.StatusBadGateway)
				return
			}
			out, err := storage.GetURL(r.Context(), storage.GetURLInput{Path: item.ObjectPath(), Stable: true, ExpiresIn: time.Hour})
			if err != nil {
				log.Print(err)
				continue
			}
			urls = append(urls, out.URL)
		}
		_ = gallery.Execute(w, urls)
	})))
}

// A folder, with a line for each file that remains.
func ExampleRemove() {
	runner := newRunner()
	http.Handle("POST /empty", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := storage.Remove(r.Context(), storage.RemoveInput{
			Path:       storage.Path("drafts/"),
			OnProgress: func(p storage.RemoveProgress) { log.Printf("removed %d files", len(p.Removed)) },
		})
		var partly *storage.RemoveError
		switch {
		case errors.As(err, &partly):
			for _, failure := range partly.Failed {
				fmt.Fprintf(w, "%s remains: %s\n", failure.Path, failure.Message)
			}
		case err != nil:
			log.Print(err)
			http.Error(w, "try again", http.StatusBadGateway)
		default:
			fmt.Fprintf(w, "%d files removed\n", out.Removed)
		}
	})))
}

// A picture becomes public: "Copy files" of the Amplify documentation.
func ExampleCopy() {
	runner := newRunner()
	http.Handle("POST /publish", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := storage.Copy(r.Context(), storage.CopyInput{
			Source: storage.CopySource{
				Path: storage.PathFunc(func(identityID string) string { return "album/" + identityID + "/1.jpg" }),
			},
			Destination: storage.CopyDestination{Path: storage.Path("shared/2.jpg")},
		})
		if amplify.ReasonOf(err) == amplify.ReasonNoAccessRule {
			http.Error(w, "you may not publish", http.StatusForbidden)
			return
		}
		if err != nil {
			log.Print(err)
			http.Error(w, "try again", http.StatusBadGateway)
		}
	})))
}

// inTime is the body of a request. A client that sends nothing for 30 seconds loses its connection.
type inTime struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (b inTime) Read(p []byte) (int, error) {
	if err := b.connection.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil { // what is sent on may take longer
		_ = b.connection.SetReadDeadline(time.Time{})
	}
	return n, err
}

// A file that the user sends goes on to S3 as it comes: "Upload files" of the Amplify
// documentation. inTime sets a deadline of 30 seconds before each read, by
// [http.ResponseController.SetReadDeadline], and takes it away at the end.
func ExampleUploadData() {
	runner := newRunner()
	http.Handle("POST /photos/{name}", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := inTime{r.Body, http.NewResponseController(w)}
		_, err := storage.UploadData(r.Context(), storage.UploadDataInput{
			Path: storage.PathFunc(func(identityID string) string {
				return "photos/" + identityID + "/" + r.PathValue("name")
			}),
			Body: http.MaxBytesReader(w, body, 1<<30), Size: r.ContentLength,
			PreventOverwrite: true,
		})
		if err != nil {
			http.Error(w, "That did not work.", http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})))
}

// A file goes to the user as it comes from S3: "Download files" of the Amplify documentation.
func ExampleDownloadData() {
	runner := newRunner()
	http.Handle("GET /report", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := storage.DownloadData(r.Context(), storage.DownloadDataInput{Path: storage.Path("reports/2024.pdf")})
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer out.Body.Close()
		w.Header().Set("Content-Type", out.ContentType)
		w.Header().Set("Content-Length", strconv.FormatInt(out.Length, 10))
		if _, err := io.Copy(w, out.Body); err != nil {
			panic(http.ErrAbortHandler) // so that the browser does not take the beginning for all
		}
	})))
}
