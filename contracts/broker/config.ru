# frozen_string_literal: true

# The Pact Broker of `npm run broker`. The gem itself reads PACT_BROKER_BASIC_AUTH_* from the environment, as the
# official image does.
require "pact_broker"

run(PactBroker::App.new do |config|
  config.database_url = ENV.fetch("PACT_BROKER_DATABASE_URL")
  config.log_stream = :stdout
  config.log_level = :warn
  config.seed_example_data = false
  # The health check needs no credentials.
  config.public_heartbeat = true
end)
