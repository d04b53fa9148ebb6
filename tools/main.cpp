// The program `cairn`: reads the command line, runs one verb, and turns errors into messages and
// exit codes: 0 done, 1 the work failed, 2 called wrongly.
#include <algorithm>
#include <iostream>

#include "build_info.h"
#include "runtime/error.h"
#include "runtime/threads.h"
#include "tools/verb.h"
#include "training/recipe.h"

namespace cairn {

#define CAIRN_VERB(name) void add_##name(CLI::App&);
#include "verbs.inc"
#undef CAIRN_VERB

namespace {

void add_verbs(CLI::App& app) {
#define CAIRN_VERB(name) add_##name(*app.add_subcommand(#name));
#include "verbs.inc"
#undef CAIRN_VERB
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const std::string nearest = nearest_word(word, known);
  return nearest.empty() ? "" : "Did you mean " + nearest + "? ";
}

// CLI11 would take an unknown verb for a stray argument.
void check_verb(CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  if (std::find(verbs.begin(), verbs.end(), argv[1]) != verbs.end()) return;
  throw UsageError("cairn", text("there is no command '", argv[1], "'"), "one of its commands",
                   did_you_mean(argv[1], verbs) + "`cairn --help` lists them");
}

UsageError explain(const CLI::ParseError& error, CLI::App& app) {
  const auto used = app.get_subcommands();
  const CLI::App& verb = used.empty() ? app : *used.front();
  const std::string where = used.empty() ? "cairn" : "cairn " + verb.get_name();
  const std::string help = "`" + where + " --help` shows them with an example";
  const std::vector<std::string> stray = app.remaining(true);
  const std::string word = stray.empty() ? "" : stray.front().substr(0, stray.front().find('='));
  if (!word.starts_with('-')) {  // an unknown option is told first, whatever else is wrong
    if (!dynamic_cast<const CLI::ExtrasError*>(&error))
      return {where, error.what(), "its options and arguments in their form", help};
    return {where, "stray argument '" + word + "'", "fewer arguments", help};
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : verb.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  return {where, "unknown option " + word, "one of its options", did_you_mean(word, known) + help};
}

int run(int argc, char** argv) {
  CLI::App app("Cairn: keypoint networks, trained and run", "cairn");
  app.set_version_flag("--version", build::version);
  app.require_subcommand(1);
  app.footer(
      "\nExample:\n  cairn detect photo.png --model superpoint.safetensors --out found\n"
      "`cairn COMMAND --help` describes each command.");
  app.get_formatter()->column_width(26);
  app.get_formatter()->label("REQUIRED", "(needed)");
  add_verbs(app);
  check_verb(app, argc, argv);
  if (argc < 2) {
    std::cerr << app.help();
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    throw explain(error, app);
  }
  return 0;
}

int report(const std::exception& error, int code) {
  std::cout.flush();
  const std::string message = error.what();
  std::cerr << (message.starts_with("cairn") ? "" : "cairn: ") << message << '\n';
  return code;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  cairn::restart_with_short_spin(argv);
  try {
    return cairn::run(argc, argv);
  } catch (const cairn::UsageError& error) {
    return cairn::report(error, 2);
  } catch (const std::exception& error) {
    return cairn::report(error, 1);
  }
}
