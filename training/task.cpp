#include "training/task.h"

namespace cairn {

#define CAIRN_TASK(name) std::unique_ptr<Task> make_##name##_task(Recipe&, uint64_t);
#include "tasks.inc"
#undef CAIRN_TASK

std::vector<std::string> task_names() {
  return {
#define CAIRN_TASK(name) #name,
#include "tasks.inc"
#undef CAIRN_TASK
  };
}

std::unique_ptr<Task> make_task(Recipe& recipe, uint64_t seed) {
  const auto names = task_names();
  const std::string name = recipe.choice("task", names.front(), names);
#define CAIRN_TASK(task) \
  if (name == #task) return make_##task##_task(recipe, seed);
#include "tasks.inc"
#undef CAIRN_TASK
  return nullptr;  // choice() has thrown already
}

}  // namespace cairn
