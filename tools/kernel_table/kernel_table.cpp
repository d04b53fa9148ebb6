#include "tools/kernel_table.h"

#include "tools/kernel_table/maker.h"

namespace cairn {

void visit_kernels(Device device, KernelSizes sizes,
                   const std::function<void(const KernelRow&)>& visit) {
  const TableMaker m(device, sizes, visit);
  table_of_elementwise(m);
  table_of_products(m);
  table_of_optimizers(m);
  table_of_losses(m);
  table_of_heatmaps(m);
  table_of_landmarks(m);
  table_of_descriptors(m);
  table_of_points(m);
  table_of_warps(m);
}

}  // namespace cairn
