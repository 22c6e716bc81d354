# frozen_string_literal: true

# A Pact Broker as `npm run broker` starts it. Basic authentication is configured as for the official image,
# by PACT_BROKER_BASIC_AUTH_* in the environment, which the gem reads itself.
require "pact_broker"

run(PactBroker::App.new do |config|
  config.database_url = ENV.fetch("PACT_BROKER_DATABASE_URL")
  config.log_stream = :stdout
  config.log_level = :warn
  config.seed_example_data = false
  # So that whoever waits for it needs no credentials.
  config.public_heartbeat = true
end)
