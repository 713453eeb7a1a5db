package storage

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// Options are the settings of this package for one App. The zero value is the default. Like those
// of Amplify JS they concern keys of Amplify Gen 1.
type Options struct {
	// DefaultAccessLevel is the level of keys without one. The default is [LevelGuest].
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
	switch o.DefaultAccessLevel {
	case "", LevelGuest, LevelProtected, LevelPrivate:
	default:
		return amplify.NewConfigError(&amplify.ConfigError{
			Field: "Options.DefaultAccessLevel", Value: string(o.DefaultAccessLevel),
			Problem: "is not LevelGuest, LevelProtected or LevelPrivate",
		})
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
}

func newService(app *amplify.App, o Options) *service {
	if o.DefaultAccessLevel == "" {
		o.DefaultAccessLevel = LevelGuest
	}
	if o.PrefixResolver == nil {
		o.PrefixResolver = defaultPrefix
	}
	return &service{app, o, newSigners(app.Now)}
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
)

// client is the S3 client of one region. It has no credentials: each call brings those of its
// request.
type client struct {
	*s3.Client
	copying aws.HTTPClient // has time for copies
}

func (s *service) client(region string) (*client, error) {
	return awsapi.Client(s.app, region, func(settings awsapi.Settings) *client {
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
			copying: settings.Limited(maxAnswer, copyTimeout).HTTPClient,
		}
	})
}
