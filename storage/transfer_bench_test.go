package storage_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify/storage"
)

// sink is an S3 that keeps nothing of what it gets, and gives as many zeros as it is asked for.
type sink struct{ size int64 }

func (s sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("ETag", `"e"`)
	switch query := r.URL.Query(); {
	case query.Has("uploads"):
		_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
	case r.Method == http.MethodPost:
		_, _ = io.WriteString(w, `<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>`)
	case r.Method == http.MethodGet:
		w.Header().Set("Content-Length", strconv.FormatInt(s.size, 10))
		_, _ = io.Copy(w, io.LimitReader(zeros{}, s.size))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// plain returns a client of the SDK for s.
func (s *cutS3) plain() *s3.Client {
	return s3.New(s3.Options{
		Region: "eu-west-1", BaseEndpoint: &s.URL, UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "ASIAme", SecretAccessKey: "secret of me", SessionToken: "token"}, nil
		}),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}

// heap runs f, and returns the most that the heap has had meanwhile, in MiB.
func heap(f func()) float64 {
	runtime.GC()
	done, measured := make(chan struct{}), make(chan uint64)
	go func() {
		var m runtime.MemStats
		var most uint64
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-done:
				measured <- most
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	f()
	close(done)
	return float64(<-measured) / mib
}

// beside does the same in two ways by turns, so that what else the machine does meets both. ratio is
// how fast the first is in terms of the second.
func beside(b *testing.B, ours, plain func()) {
	var with, without time.Duration
	for b.Loop() {
		start := time.Now()
		ours()
		between := time.Now()
		plain()
		with += between.Sub(start)
		without += time.Since(between)
	}
	b.ReportMetric(float64(without)/float64(with), "ratio")
}

// BenchmarkUploadData uploads a stream of 64 MiB, one and eight at a time, and beside that sends the
// same parts by plain UploadPart calls, whose buffers are made for each upload.
func BenchmarkUploadData(b *testing.B) {
	const size = 64 * mib
	s := &cutS3{Server: httptest.NewServer(sink{})}
	b.Cleanup(s.Close)
	ctx, client := s.in(b), s.plain()
	ours := func() error {
		_, err := storage.UploadData(ctx, storage.UploadDataInput{Path: storage.Path("a"), Body: io.LimitReader(zeros{}, size)})
		return err
	}
	plain := func() error { return plainUpload(b.Context(), client, io.LimitReader(zeros{}, size)) }
	for _, atOnce := range []int{1, 8} {
		var runs []func()
		for _, c := range []struct {
			name   string
			upload func() error
		}{{"UploadData", ours}, {"UploadPart", plain}} {
			run := func() {
				var all sync.WaitGroup
				for range atOnce {
					all.Go(func() {
						if err := c.upload(); err != nil {
							b.Error(err)
						}
					})
				}
				all.Wait()
			}
			runs = append(runs, run)
			b.Run(fmt.Sprint(c.name, "/", atOnce), func(b *testing.B) {
				b.SetBytes(int64(size * atOnce))
				for b.Loop() {
					run()
				}
				b.StopTimer()
				b.ReportMetric(heap(run), "MiB-heap")
			})
		}
		b.Run(fmt.Sprint("beside/", atOnce), func(b *testing.B) { beside(b, runs[0], runs[1]) })
	}
}

// plainUpload sends parts of 5 MiB, four at a time.
func plainUpload(ctx context.Context, client *s3.Client, body io.Reader) error {
	id := aws.String("u")
	if _, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String("drive"), Key: aws.String("a")}); err != nil {
		return err
	}
	buffers := make(chan []byte, 4)
	for range cap(buffers) {
		buffers <- make([]byte, 5*mib)
	}
	failed := make(chan error, 1)
	for number := int32(1); ; number++ {
		buffer := <-buffers
		n, err := io.ReadFull(body, buffer)
		if n > 0 {
			go func() {
				_, err := client.UploadPart(ctx, &s3.UploadPartInput{
					Bucket: aws.String("drive"), Key: aws.String("a"), UploadId: id, PartNumber: &number, Body: bytes.NewReader(buffer[:n]),
				})
				if err != nil {
					select {
					case failed <- err:
					default:
					}
				}
				buffers <- buffer
			}()
		} else {
			buffers <- buffer
		}
		if err != nil {
			break
		}
	}
	for range cap(buffers) {
		<-buffers
	}
	select {
	case err := <-failed:
		return err
	default:
	}
	_, err := client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String("drive"), Key: aws.String("a"), UploadId: id})
	return err
}

// BenchmarkDownloadData downloads 256 MiB, and beside that reads a plain GetObject stream.
func BenchmarkDownloadData(b *testing.B) {
	const size = 256 * mib
	s := &cutS3{Server: httptest.NewServer(sink{size})}
	b.Cleanup(s.Close)
	ctx, client := s.in(b), s.plain()
	var runs []func()
	for _, c := range []struct {
		name     string
		download func() (io.ReadCloser, error)
	}{
		{"DownloadData", func() (io.ReadCloser, error) {
			out, err := storage.DownloadData(ctx, storage.DownloadDataInput{Path: storage.Path("a")})
			if err != nil {
				return nil, err
			}
			return out.Body, nil
		}},
		{"GetObject", func() (io.ReadCloser, error) {
			out, err := client.GetObject(b.Context(), &s3.GetObjectInput{Bucket: aws.String("drive"), Key: aws.String("a")})
			if err != nil {
				return nil, err
			}
			return out.Body, nil
		}},
	} {
		run := func() {
			body, err := c.download()
			if err != nil {
				b.Fatal(err)
			}
			if n, err := io.Copy(struct{ io.Writer }{io.Discard}, body); n != size || err != nil {
				b.Fatal(n, err)
			}
			_ = body.Close()
		}
		runs = append(runs, run)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				run()
			}
			b.StopTimer()
			b.ReportMetric(heap(run), "MiB-heap")
		})
	}
	b.Run("beside", func(b *testing.B) { beside(b, runs[0], runs[1]) })
}
