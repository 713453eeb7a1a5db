package storage

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// Options are the settings of this package for one App. The zero value is the default.
type Options struct {
	// UploadMemory is how many bytes all uploads of the App may hold in memory together: 32 MiB by
	// default, 20 MiB at least. Uploads of bodies that cannot seek wait for it in the order in
	// which they ask: small ones take their size, others some parts of 5 MiB. A part is held while
	// it is read and sent. A body that takes more than two minutes for a part fails if others wait
	// ("RequestTimeout"). One that stands still is not noticed before its Read returns: give the
	// body of a request a deadline for each read, as the example of [UploadData] does. A server
	// with many slow clients needs more, or puts uploads into files first, as
	// [http.Request.ParseMultipartForm] does.
	//
	// A body of unknown length has 75 GiB at most with the default. S3 takes 10,000 parts. They
	// begin with 5 MiB, and double every 1,000 parts up to a quarter of the memory. With 64 MiB it
	// is 139 GiB, with 256 MiB 448 GiB. The error beyond is "EntityTooLarge".
	UploadMemory int64
	// ObjectLock sends Content-MD5 with uploads, which a bucket with a default retention requires,
	// unless they have another checksum.
	ObjectLock bool

	// DefaultAccessLevel is the level of keys of Amplify Gen 1 without one. The default is
	// [LevelGuest].
	DefaultAccessLevel AccessLevel
	// PrefixResolver returns what stands before a key. It may be called by many goroutines at once.
	// The default returns the prefixes that [AccessLevel] lists.
	PrefixResolver func(context.Context, PrefixInput) (string, error)
}

// PrefixInput is the input of Options.PrefixResolver.
type PrefixInput struct {
	AccessLevel AccessLevel
	// TargetIdentityID is the identity id of the owner. It is empty if the caller has none.
	TargetIdentityID string
}

// Configure sets the options of app. It returns an error if they have faults (see
// [amplify.ConfigErrors]), and if app has been configured or has made a call of this package
// before: call it where the App is made. Applications that are content with the defaults need not.
func Configure(app *amplify.App, o Options) error {
	var faults []*amplify.ConfigError
	switch o.DefaultAccessLevel {
	case "", LevelGuest, LevelProtected, LevelPrivate:
	default:
		faults = append(faults, &amplify.ConfigError{
			Field: "Options.DefaultAccessLevel", Value: string(o.DefaultAccessLevel),
			Problem: "is not LevelGuest, LevelProtected or LevelPrivate",
		})
	}
	if o.UploadMemory != 0 && o.UploadMemory < minUploadMemory {
		faults = append(faults, &amplify.ConfigError{
			Field: "Options.UploadMemory", Value: strconv.FormatInt(o.UploadMemory, 10),
			Problem: "is less than 20971520 (20 MiB): a part of 5 MiB takes a quarter at most",
		})
	}
	if err := amplify.NewConfigError(faults...); err != nil {
		return err
	}
	configured := false
	_, err := amplify.Shared(app, func(app *amplify.App) (*service, error) {
		configured = true
		return newService(app, o), nil
	})
	if err == nil && !configured {
		return &amplify.Error{
			Name: "AmplifyStorageError", Reason: amplify.ReasonConfiguration,
			Message:            "Storage has been configured or used before.",
			RecoverySuggestion: "Call storage.Configure once, where the App is made.",
		}
	}
	return err
}

// service is what an App keeps for this package.
type service struct {
	app     *amplify.App
	options Options
	signers *signers
	memory  *memory
}

func newService(app *amplify.App, o Options) *service {
	if o.DefaultAccessLevel == "" {
		o.DefaultAccessLevel = LevelGuest
	}
	if o.PrefixResolver == nil {
		o.PrefixResolver = defaultPrefix
	}
	memory := newMemory(cmp.Or(o.UploadMemory, defaultUploadMemory))
	return &service{app, o, newSigners(app.Now), memory}
}

// serviceOf returns what app keeps, with the default options if it has not been configured.
func serviceOf(app *amplify.App) (*service, error) {
	return amplify.Shared(app, func(app *amplify.App) (*service, error) {
		return newService(app, Options{}), nil
	})
}

// defaultPrefix is the PrefixResolver of Amplify JS.
func defaultPrefix(_ context.Context, in PrefixInput) (string, error) {
	switch {
	case in.AccessLevel == LevelGuest:
		return "public/", nil
	case in.TargetIdentityID == "":
		return "", errNoIdentity()
	}
	return string(in.AccessLevel) + "/" + in.TargetIdentityID + "/", nil
}

// Limits of the answers to calls that transfer no data.
const (
	// maxAnswer is their size in bytes: 1,000 keys of 1,024 bytes, of which each takes three bytes
	// in a list, or six in XML, and what belongs to them.
	maxAnswer = 8 << 20
	// answerTimeout bounds an attempt, its answer included.
	answerTimeout = 10 * time.Second
	// copyTimeout bounds an attempt to copy: S3 answers when it has copied up to 5 GiB.
	copyTimeout = 10 * time.Minute
	// uploadTimeout bounds an attempt to send a part. One that stands still ends before.
	uploadTimeout = time.Hour
)

// client is the S3 client of one region. It has no credentials: each call brings those of its
// request.
type client struct {
	*s3.Client
	copying     aws.HTTPClient // has time for copies
	uploading   aws.HTTPClient // has time for data that is sent
	downloading aws.HTTPClient // has time for data that is received
}

func (s *service) client(region string) (*client, error) {
	return awsapi.Client(s.app, region, func(settings awsapi.Settings) *client {
		transfers := awsapi.Settings{
			HTTPClient: &idle{settings.Unlimited().HTTPClient, idleTimeout},
		}
		return &client{
			Client: s3.New(s3.Options{
				Region:       settings.Region,
				HTTPClient:   settings.Limited(maxAnswer, answerTimeout).HTTPClient,
				Retryer:      settings.Retryer,
				HTTPSignerV4: s.signers,
				// By default the SDK adds checksums to calls, which Amplify JS does not have.
				RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
				ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
			}),
			copying:     settings.Limited(maxAnswer, copyTimeout).HTTPClient,
			uploading:   transfers.Limited(maxAnswer, uploadTimeout).HTTPClient,
			downloading: transfers.HTTPClient,
		}
	})
}
